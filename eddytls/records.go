package eddytls

// fewBytes is read from below where the size of the next record is not known: enough for
// most requests.
const fewBytes = 2 << 10

// records follows the boundaries of records in the bytes that crypto/tls is given. Bytes
// beyond a record go into a buffer of crypto/tls that grows and does not shrink. So a large
// record is read alone, in one read if it is as large as the one before.
type records struct {
	left   int // bytes of the record that are still to come
	size   int // bytes of the record
	header [recordHeader]byte
	known  int // bytes of header
}

// limit is how many bytes the next read may take.
func (r *records) limit() int {
	switch {
	case r.left > 0 && r.size > fewBytes:
		return r.left
	case r.left == 0 && r.known == 0:
		return max(fewBytes, recordHeader+r.size)
	}
	return fewBytes
}

// passed follows bytes that crypto/tls has got.
func (r *records) passed(p []byte) {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left -= n
			p = p[n:]
			continue
		}
		n := copy(r.header[r.known:], p)
		p = p[n:]
		if r.known += n; r.known == recordHeader {
			r.size = int(r.header[3])<<8 | int(r.header[4])
			r.known, r.left = 0, r.size
		}
	}
}
