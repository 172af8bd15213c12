package main

import (
	"strconv"
	"strings"
	"time"
)

// vanish is a script for a separate network namespace. $1 is the probe, $2 its write
// timeout. The packets of a stream's client are dropped in both directions. The script
// prints the milliseconds until the server notices.
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

// vanishedClient tries a stream whose client vanishes without a FIN.
func vanishedClient(t *trial) error {
	for _, tool := range []string{"unshare", "ip", "nft", "curl"} {
		if !t.has(tool, "a client that vanishes") {
			return nil
		}
	}
	out, err := t.command("unshare", "-n", "sh", "-c", vanish, "vanish", t.probe, deadline.String())
	if err != nil {
		t.skip("a client that vanishes", "no network namespace: "+strings.TrimSpace(out))
		return nil
	}
	ms, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		return err
	}
	atMost(t, "the handler is notified after", time.Duration(ms)*time.Millisecond, deadline+2*time.Second)
	return nil
}
