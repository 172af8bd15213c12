package httpparse

import (
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// The reference parser reads one byte at a time and asks regular expressions, written down from the grammar, whether
// the line so far can still become a valid one. It is slow and shares no code with the parser.

const (
	tchar     = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]"
	valueByte = "[\\t\\x20-\\x7e\\x80-\\xff]"
)

// pattern compiles an expression over bytes: each byte of a subject stands as the rune of the same number.
func pattern(s string) func(string) bool {
	e := regexp.MustCompile("^(?:" + s + ")$")
	return func(subject string) bool {
		runes := make([]rune, len(subject))
		for i := range len(subject) {
			runes[i] = rune(subject[i])
		}
		return e.MatchString(string(runes))
	}
}

var (
	refMethod   = pattern(tchar + "*")
	refTarget   = pattern("[\\x21-\\x22\\x24-\\x7e]*")
	refName     = pattern(tchar + "*")
	refValue    = pattern(valueByte + "*\\r?")
	refOrigin   = pattern("/[^?]*(\\?.*)?")
	refAbsolute = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.\-]*://([^/?]*)([^?]*)(?:\?(.*))?$`)
	refHost     = regexp.MustCompile(`^(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]*))?$`)
	refRegName  = pattern("(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
	refFuture   = pattern("[vV][0-9A-Fa-f]+\\.[A-Za-z0-9\\-._~!$&'()*+,;=:]+")
	refDigits   = pattern("[0-9]+")
)

// refRequest is the outcome of the reference parser: a status, or a length with its parts, or neither.
type refRequest struct {
	n, status    int
	method       string
	target       string
	host         string
	fields       [][2]string
	minor        int
	framing      Framing
	length       int64
	keepAlive    bool
	path, query  string
	inTarget     bool
	line         string
	empty, lines int
}

func referenceRequest(message string, limits Limits) *refRequest {
	r := &refRequest{}
	for i := range len(message) {
		if i == limits.Head {
			r.status = 431
			if r.inTarget {
				r.status = 414
			}
			return r
		}
		r.line += message[i : i+1]
		var ended bool
		if r.lines == 0 {
			r.status, ended = r.requestLine(limits)
		} else {
			r.status, ended = r.fieldLine(limits)
		}
		if r.status != 0 {
			return r
		}
		if ended && r.line == "\r\n" && r.lines > 0 {
			if r.status = r.decide(); r.status == 0 {
				r.n = i + 1
			}
			return r
		}
		if ended {
			if r.line != "\r\n" {
				r.lines++
			}
			r.line = ""
		}
	}
	return r
}

// requestLine judges the request line so far.
func (r *refRequest) requestLine(limits Limits) (status int, ended bool) {
	if strings.HasPrefix(r.line, "\r") {
		if r.line == "\r" {
			if r.empty++; r.empty > limits.EmptyLines {
				return 400, false
			}
			return 0, false
		}
		if r.line != "\r\n" {
			return 400, false
		}
		return 0, true
	}
	parts := strings.SplitN(r.line, " ", 3)
	if !refMethod(parts[0]) || len(parts) > 1 && parts[0] == "" {
		return 400, false
	}
	if len(parts[0]) > limits.Method {
		return 501, false
	}
	r.inTarget = len(parts) == 2
	if len(parts) == 1 {
		return 0, false
	}
	if !refTarget(parts[1]) || len(parts) > 2 && parts[1] == "" {
		return 400, false
	}
	if parts[1] != "" && len(parts[0])+len(parts[1])+len("  HTTP/1.1") > limits.RequestLine {
		return 414, false
	}
	if len(parts) == 2 {
		return 0, false
	}
	r.method, r.target = parts[0], parts[1]
	version := parts[2]
	const example = "HTTP/1.1\r\n"
	for i := range len(version) {
		digit := example[i] == '1'
		if digit && !refDigits(version[i:i+1]) || !digit && version[i] != example[i] {
			return 400, false
		}
	}
	if len(version) >= 8 && version[5] != '1' {
		return 505, false
	}
	if len(version) < len(example) {
		return 0, false
	}
	r.minor = min(int(version[7]-'0'), 1)
	return r.form(), true
}

// form judges the target as a whole.
func (r *refRequest) form() int {
	absolute := refAbsolute.FindStringSubmatch(r.target)
	switch {
	case r.method == "CONNECT":
		_, port, ok := refAuthority(r.target)
		if number, err := strconv.Atoi(port); !ok || err != nil || number == 0 {
			return 400
		}
		r.host = r.target
	case refOrigin(r.target):
		r.path, r.query, _ = strings.Cut(r.target, "?")
	case r.target == "*" && r.method == "OPTIONS":
	case absolute != nil:
		if _, _, ok := refAuthority(absolute[1]); !ok {
			return 400
		}
		r.host, r.path, r.query = absolute[1], absolute[2], absolute[3]
	default:
		return 400
	}
	return 0
}

func refAuthority(s string) (host, port string, ok bool) {
	parts := refHost.FindStringSubmatch(s)
	if parts == nil {
		return "", "", false
	}
	host, port = parts[1], parts[2]
	if number, err := strconv.Atoi(port); port != "" && (err != nil || number > 65535) {
		return "", "", false
	}
	if inside, literal := strings.CutPrefix(host, "["); literal {
		inside = strings.TrimSuffix(inside, "]")
		address, err := netip.ParseAddr(inside)
		return host, port, refFuture(inside) || err == nil && address.Is6() && address.Zone() == ""
	}
	return host, port, refRegName(host)
}

// fieldLine judges the field line so far.
func (r *refRequest) fieldLine(limits Limits) (status int, ended bool) {
	if strings.HasPrefix(r.line, "\r") {
		if len(r.line) == 2 && r.line != "\r\n" {
			return 400, false
		}
		return 0, r.line == "\r\n"
	}
	if blank := r.line[0] == ' ' || r.line[0] == '\t'; len(r.fields) >= limits.Fields {
		return 431, false
	} else if blank {
		return 400, false
	}
	name, value, colon := strings.Cut(r.line, ":")
	if !refName(name) || colon && name == "" {
		return 400, false
	}
	content := strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if !colon {
		content = ""
	}
	length := len(name) + len(content)
	if colon {
		length++
	}
	if cr := strings.IndexByte(value, '\r'); cr >= 0 {
		if rest := value[cr:]; rest != "\r" && rest != "\r\n" {
			return 400, false
		}
	}
	complete := strings.HasSuffix(value, "\r\n")
	if !refValue(strings.TrimSuffix(value, "\r\n")) {
		return 400, false
	}
	if length > limits.Field {
		return 431, false
	}
	if complete {
		r.fields = append(r.fields, [2]string{name, strings.Trim(content, " \t")})
	}
	return 0, complete
}

func (r *refRequest) values(name string) (values []string) {
	for _, f := range r.fields {
		if strings.EqualFold(f[0], name) {
			values = append(values, f[1])
		}
	}
	return values
}

// list returns the elements of all fields of that name.
func (r *refRequest) list(name string) (elements []string) {
	for _, value := range r.values(name) {
		for _, element := range strings.Split(value, ",") {
			elements = append(elements, strings.ToLower(strings.Trim(element, " \t")))
		}
	}
	return elements
}

// decide gives the fields their meaning. All that is refused here is 400, but a coding that is merely unknown.
func (r *refRequest) decide() int {
	hosts, lengths, codings := r.values("Host"), r.values("Content-Length"), r.list("Transfer-Encoding")
	if len(hosts) > 1 || len(hosts) == 0 && r.minor == 1 {
		return 400
	}
	if len(hosts) == 1 {
		if _, _, ok := refAuthority(hosts[0]); !ok {
			return 400
		}
		if r.host == "" {
			r.host = hosts[0]
		}
	}
	if len(lengths) > 1 || len(lengths) == 1 && !refDigits(lengths[0]) {
		return 400
	}
	if len(lengths) == 1 {
		number, _ := new(big.Int).SetString(lengths[0], 10)
		if !number.IsInt64() {
			return 400
		}
		r.framing, r.length = ContentLength, number.Int64()
	}
	if codings != nil {
		if len(lengths) > 0 || r.minor == 0 || codings[len(codings)-1] != "chunked" {
			return 400
		}
		for _, coding := range codings[:len(codings)-1] {
			if coding == "chunked" || coding == "" || !refName(coding) {
				return 400
			}
		}
		if len(codings) > 1 {
			return 501
		}
		r.framing = ChunkedBody
	}
	r.keepAlive = r.minor == 1
	for _, option := range r.list("Connection") {
		r.keepAlive = r.keepAlive || option == "keep-alive"
	}
	for _, option := range r.list("Connection") {
		r.keepAlive = r.keepAlive && option != "close"
	}
	return 0
}
