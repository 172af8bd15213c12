package asynclog

import (
	"log/slog"
	"reflect"
)

const (
	// recordSize is the size that a record counts in a queue: about that of an entry, which
	// has room for inlineAttrs.
	recordSize  = 400
	inlineAttrs = 5
	// attrSize is the size that every further attribute counts.
	attrSize = 40
)

// retain returns a copy of the record for later, and its size in bytes: values that may
// change after the call are resolved or copied. Ordinary ones cost no allocation.
func retain(r slog.Record) (kept slog.Record, size int) {
	volatile := false
	r.Attrs(func(a slog.Attr) bool {
		volatile = isVolatile(a.Value)
		return !volatile
	})
	if volatile {
		kept = slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
		r.Attrs(func(a slog.Attr) bool {
			a.Value = settled(a.Value)
			kept.AddAttrs(a)
			return true
		})
	} else {
		kept = r.Clone()
	}
	size = recordSize + len(r.Message) + attrSize*max(0, r.NumAttrs()-inlineAttrs)
	kept.Attrs(func(a slog.Attr) bool {
		size += len(a.Key) + sizeOf(a.Value)
		return true
	})
	return kept, size
}

// isVolatile says whether settled may return something else. Groups are looked into
// there only.
func isVolatile(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindLogValuer, slog.KindGroup:
		return true
	case slog.KindAny:
		_, ok := bytesOf(v)
		return ok
	}
	return false
}

// settled is a value that the program does not change any more.
func settled(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindLogValuer:
		return settled(v.Resolve())
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, a := range v.Group() {
			group[i] = slog.Attr{Key: a.Key, Value: settled(a.Value)}
		}
		return slog.GroupValue(group...)
	case slog.KindAny:
		if b, ok := bytesOf(v); ok {
			c := reflect.MakeSlice(b.Type(), b.Len(), b.Len())
			reflect.Copy(c, b)
			return slog.AnyValue(c.Interface())
		}
	}
	return v
}

// sizeOf is the size in bytes of the memory that a settled value refers to, if it is known.
func sizeOf(v slog.Value) (size int) {
	switch v.Kind() {
	case slog.KindString:
		return len(v.String())
	case slog.KindGroup:
		for _, a := range v.Group() {
			size += attrSize + len(a.Key) + sizeOf(a.Value)
		}
	case slog.KindAny:
		if b, ok := bytesOf(v); ok {
			return b.Len()
		}
	}
	return size
}

// bytesOf returns a value that is a slice of bytes, such as a json.RawMessage.
func bytesOf(v slog.Value) (bytes reflect.Value, ok bool) {
	bytes = reflect.ValueOf(v.Any())
	ok = bytes.Kind() == reflect.Slice && bytes.Type().Elem().Kind() == reflect.Uint8 && !bytes.IsNil()
	return bytes, ok
}
