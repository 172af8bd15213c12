// Package defaults sets the zero fields of an Options struct to their defaults.
package defaults

import "fmt"

// Options is an Options struct being completed. Its error is that of the first invalid
// field.
type Options struct {
	name string
	err  error
}

// Of returns an Options for error messages with this name, such as "http1: Options".
func Of(name string) *Options { return &Options{name: name} }

// Err is the error of the first invalid field, or nil.
func (o *Options) Err() error { return o.err }

// Set sets a zero field to its default. A negative value is an error.
func Set[T ~int | ~int64](o *Options, field string, value *T, byDefault T) {
	switch {
	case *value == 0:
		*value = byDefault
	case *value < 0 && o.err == nil:
		o.err = fmt.Errorf("%s.%s is %v: it must not be negative; 0 means the default, %v", o.name, field, *value, byDefault)
	}
}
