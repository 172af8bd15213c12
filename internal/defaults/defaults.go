// Package defaults fills in the fields of an Options that its user has left zero.
package defaults

import "fmt"

// Options is one Options on its way. Of several fields that make no sense the first is
// the error.
type Options struct {
	name string
	err  error
}

// Of returns the Options of that name, such as "http1: Options".
func Of(name string) *Options { return &Options{name: name} }

// Err is the first field that made no sense, nil without one.
func (o *Options) Err() error { return o.err }

// Set fills a field in. One that is negative is an error.
func Set[T ~int | ~int64](o *Options, field string, value *T, byDefault T) {
	switch {
	case *value == 0:
		*value = byDefault
	case *value < 0 && o.err == nil:
		o.err = fmt.Errorf("%s.%s is %v: it must not be negative; 0 stands for the default, %v", o.name, field, *value, byDefault)
	}
}
