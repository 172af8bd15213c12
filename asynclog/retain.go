package asynclog

import (
	"log/slog"
	"reflect"
)

const (
	// recordSize is the size that is counted for a record: about that of an entry, which
	// includes inlineAttrs attributes.
	recordSize  = 400
	inlineAttrs = 5
	// attrSize is the size that is counted for each further attribute.
	attrSize = 40
)

// retain returns a copy of the record for later, and its size in bytes. Values that may
// change after the call are resolved or copied. Other values cost no allocation.
func retain(r slog.Record) (kept slog.Record, size int) {
	volatile := false
	r.Attrs(func(a slog.Attr) bool {
		volatile = isVolatile(a.Value)
		return !volatile
	})
	if volatile {
		kept = slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
		r.Attrs(func(a slog.Attr) bool {
			a.Value = frozen(a.Value)
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

// isVolatile reports whether frozen may return another value. It does not look into
// groups.
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

// frozen returns a value that the program cannot change any more.
func frozen(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindLogValuer:
		return frozen(v.Resolve())
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, a := range v.Group() {
			group[i] = slog.Attr{Key: a.Key, Value: frozen(a.Value)}
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

// sizeOf is the size in bytes of the memory that a frozen value refers to, if it is known.
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

// bytesOf returns a slice of bytes, such as a json.RawMessage.
func bytesOf(v slog.Value) (bytes reflect.Value, ok bool) {
	bytes = reflect.ValueOf(v.Any())
	ok = bytes.Kind() == reflect.Slice && bytes.Type().Elem().Kind() == reflect.Uint8 && !bytes.IsNil()
	return bytes, ok
}
