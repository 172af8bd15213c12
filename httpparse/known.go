package httpparse

// knownField is a field that this package understands.
type knownField uint8

const (
	otherField knownField = iota
	hostField
	expectField
	upgradeField
	connectionField
	lengthField
	codingField
)

// knownNames holds each known name at its length: no two have the same.
var knownNames = [32]struct {
	lower string
	first byte
	field knownField
}{
	len("host"):              {"host", 'h', hostField},
	len("expect"):            {"expect", 'e', expectField},
	len("upgrade"):           {"upgrade", 'u', upgradeField},
	len("connection"):        {"connection", 'c', connectionField},
	len("content-length"):    {"content-length", 'c', lengthField},
	len("transfer-encoding"): {"transfer-encoding", 't', codingField},
}

// mayBeKnown rules out nearly all names by their first letter and their length.
func mayBeKnown(first byte, length int) bool {
	return knownNames[uint(length)%uint(len(knownNames))].first == first|0x20
}

// known returns which field a name is. Among the bytes of a token, 0x20 tells an upper case letter from a lower
// case one and nothing else from a letter or a hyphen, so OR is enough to fold.
func known(name []byte) knownField {
	k := &knownNames[uint(len(name))%uint(len(knownNames))]
	if len(k.lower) != len(name) {
		return otherField
	}
	for i, c := range name {
		if c|0x20 != k.lower[i] {
			return otherField
		}
	}
	return k.field
}
