package http1

// Field is a field of answers that has been checked, and laid out as it is sent: for
// those that answer after answer has, which Response.SetField and AddField then copy.
// Any goroutine may use it. The zero Field sets nothing.
type Field struct {
	line  string // with its CRLF
	name  int    // bytes of the name
	owner owner
}

// NewField checks a field as Response.SetHeader does, and has its errors.
func NewField(name, value string) (Field, error) {
	owner, err := checkField(name, value)
	if err != nil {
		return Field{}, err
	}
	return Field{line: name + ": " + value + "\r\n", name: len(name), owner: owner}, nil
}

// MustField is NewField for a field that stands in the text of a program: it panics where
// NewField has an error.
func MustField(name, value string) Field {
	f, err := NewField(name, value)
	if err != nil {
		panic(err)
	}
	return f
}
