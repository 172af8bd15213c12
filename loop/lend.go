package loop

// maxFill bounds in bytes what a connection is read in one cycle into memory of its
// protocol's.
const maxFill = 256 << 10

// inputSpace is where the next input goes: into memory of the protocol's own, or else,
// without an owner, into the loop's buffer.
func (c *Conn) inputSpace() (space []byte, owner Lender) {
	f, ok := c.protocol.(Lender)
	if !ok || c.in != nil {
		return c.loop.input, nil
	}
	defer c.recovered()
	if space = f.InputSpace(c); len(space) == 0 {
		return c.loop.input, nil
	}
	return space[:min(len(space), maxFill)], f
}

// filled hands the memory back, with n bytes of input in it.
func (c *Conn) filled(owner Lender, n int) {
	if n > 0 && !c.is(ownDeadline) {
		c.deadline = later(c.loop.now, c.settings.IdleTimeout)
	}
	defer c.recovered()
	owner.OnFilled(c, n)
}
