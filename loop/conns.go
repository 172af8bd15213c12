package loop

// Conns lists the open connections that speak p, which is the instance that Bind has
// returned. It looks at all connections of the loop. Loop only.
func (l *Loop) Conns(p Protocol) []*Conn {
	var list []*Conn
	for _, c := range l.table.conns() {
		if c.protocol == p && c.state == Open {
			list = append(list, c)
		}
	}
	return list
}
