package main

// compareTools returns a table that compares the figures of wrk and of our own load
// generator, or nil unless both have measured: -load both.
func compareTools(s scenario, rows []row) table {
	columns := requestColumns()[:4] // processor time, requests per second, p50, p99
	head := []string{""}
	for _, c := range columns {
		head = append(head, c.head+", wrk", "our own", "× wrk")
	}
	t := table{head}
	for _, peer := range peersOf(rows) {
		wrk, found := find(rows, peer, "wrk")
		own, alsoFound := find(rows, peer, "load")
		if !found || !alsoFound {
			continue
		}
		line := []string{peer}
		for _, c := range columns {
			ratio := ""
			if r, ok := own.ratio(wrk, c.figure); ok {
				ratio = cell(r, column{format: "%.2f", ranged: true})
			}
			line = append(line, cell(wrk.over(c.figure), c), cell(own.over(c.figure), c), ratio)
		}
		t = append(t, line)
	}
	if len(t) == 1 {
		return nil
	}
	return t
}
