package main

import (
	"strconv"
	"strings"
	"time"
)

// vanish runs in a network of its own: the probe is $1, and its write timeout $2. A
// client of a stream vanishes, in that its packets are dropped in both directions. It
// prints after how many milliseconds the server has noticed.
const vanish = `
ip link set lo up || exit 3
"$1" -listen 127.0.0.1:8080 -write-timeout "$2" 2>/dev/null & server=$!
until curl -s -o /dev/null http://127.0.0.1:8080/plaintext; do sleep 0.1; done
curl -s -N --local-port 40000 -o /dev/null http://127.0.0.1:8080/sse & client=$!
sleep 1
nft 'add table inet t; add chain inet t in { type filter hook input priority 0; };
	add rule inet t in tcp dport 40000 drop; add rule inet t in tcp sport 40000 drop' || exit 3
from=$(date +%s%N)
for i in $(seq 1 100); do
	[ "$(curl -s http://127.0.0.1:8080/gone)" = 1 ] && break
	sleep 0.1
done
echo $((($(date +%s%N) - from) / 1000000))
kill $client $server
wait
`

// vanishedClient has the client of a stream vanish without a word.
func vanishedClient(t *trial) error {
	for _, tool := range []string{"unshare", "ip", "nft", "curl"} {
		if !t.has(tool, "a client that vanishes") {
			return nil
		}
	}
	out, err := t.command("unshare", "-n", "sh", "-c", vanish, "vanish", t.probe, deadline.String())
	if err != nil {
		t.skip("a client that vanishes", "no network of its own: "+strings.TrimSpace(out))
		return nil
	}
	ms, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		return err
	}
	atMost(t, "the handler learns of it after", time.Duration(ms)*time.Millisecond, deadline+2*time.Second)
	return nil
}
