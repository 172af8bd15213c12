package main

import (
	"slices"
	"time"
)

// table has the rows of docs/reliability.md.
func table() []row {
	return slices.Concat(failures(), atScale(), surroundings())
}

type trials = []func(*trial) error

// failures are the rows about failures that have brought servers down.
func failures() []row {
	return []row{
		{1, "identity", "A late response is sent once, to its own client or nobody, even when its descriptor has a new owner.", 2 * time.Minute,
			trials{tagged}},
		{2, "stale events", "An event of a connection that was closed earlier in the same batch does nothing.", 2 * time.Minute,
			trials{tests("./loop", "TestNeighbourClosedInTheSameBatch", "TestEventOfAnEarlierGenerationIsIgnored", "TestClosedConnectionIgnoresItsEvents"), tests("./internal/slots", "TestStaleTokenNeverMatches")}},
		{3, "few descriptors", "Without free descriptors the engine waits, without busy-looping or flooding the log, and serves all clients afterwards.", time.Minute,
			trials{fewDescriptors("limit of connections"), fewDescriptors("EMFILE", "-max-conns", "1000")}},
		{4, "accept errors", "No accept error ends the engine or loses a client.", 2 * time.Minute,
			trials{
				failing("accept4", "ECONNABORTED", "EINTR", "EPERM", "EPROTO", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"),
				tests("./internal/sockets", "TestAcceptErrorsAreClassified"),
			}},
		{5, "clients that do not read", "They cost bounded memory and no processor time, and are closed at the write deadline.", time.Minute,
			trials{pipelinerWithoutEnd, crowdThatNeverReads}},
		{6, "busy neighbours", "A connection that sends as fast as it can does not delay the others on its loop.", time.Minute,
			trials{busyNeighbours}},
		{7, "close with output", "Closing loses no written output, however slowly it is read.", time.Minute,
			trials{slowReaderGetsAll}},
		{8, "refusal while sending", "A client that is still sending its body receives the refusal.", 2 * time.Minute,
			trials{refusedWhileSending}},
		{9, "slow attackers", "Slow heads, bodies and readers are closed at most a second after their deadline, and healthy clients are not affected.", 2 * time.Minute,
			trials{
				slowHTTP("slow heads", "-H", "/plaintext", "-i", "1"),
				slowHTTP("slow bodies", "-B", "/echo", "-i", "1", "-s", "8192"),
				slowHTTP("slow readers", "-X", "/big?n=10000000", "-w", "512", "-y", "1024", "-n", "5", "-z", "32"),
			}},
		{10, "half-close", "A client that stops sending gets its response; one that stops in the middle of a request is closed. Neither costs processor time.", time.Minute,
			trials{stopsSending}},
		{11, "order of output", "Partial writes repeat nothing, skip nothing and keep the order.", 2 * time.Minute,
			trials{manySenders, echoKeepsOffsets, tests("./loop", "TestPartialWritesKeepOrder", "TestRefWriteFromManyGoroutines")}},
		{12, "interrupted calls", "EINTR, EAGAIN, ENOBUFS and ENOMEM of system calls do not change a response.", 2 * time.Minute,
			trials{callErrors, tests("./loop", "TestWriteBackoff")}},
		{13, "bad handlers", "A panic costs one connection; a handler that blocks its loop blocks no other loop, and is reported.", time.Minute,
			trials{panicsInTheLoad, spinner}},
		{14, "shutdown", "A drain responds to every request sent, ends at its deadline whatever callbacks and resolvers do, and leaks no goroutine and no descriptor.", 3 * time.Minute,
			trials{drains, stuckDrain, blockedDrain, forcedDrain, everythingReturns, tests(".", "TestNothingIsLeftBehind", "TestDiscardedEngineLeavesNothingBehind", "TestDrainEndsThoughACallbackBlocks", "TestShutdownWhileListenLooksANameUp", "TestShutdownWhileDialLooksANameUp")}},
		{15, "memory after a spike", "Memory returns close to its earlier level within 30 s.", 2 * time.Minute,
			trials{spike}},
		{16, "huge numbers", "Lengths beyond the integer range are refused, and allocate no memory.", time.Minute,
			trials{hugeNumbers}},
		{17, "expensive chunks", "The overhead of chunk framing is bounded.", time.Minute,
			trials{expensiveChunks, tests("./httpparse", "TestChunkOverheadIsBounded", "TestExtensionLimit")}},
		{18, "many fields", "Too many fields are refused; their cost is linear in their number, whatever their names.", 2 * time.Minute,
			trials{manyFields, tests("./httpparse", "TestByteByByteIsLinear")}},
		{19, "smuggled lines", "No client injects a response field or a log line.", time.Minute,
			trials{smuggled, tests("./http1", "TestFieldsThatCannotBeSet")}},
		{20, "clocks", "Timers follow the monotonic clock, across every power of two.", 3 * time.Minute,
			trials{
				clockBeyond(31), clockBeyond(32),
				tests("./internal/wheel", "TestTimerFiresAtItsTick", "TestTimerFiresAfterCascade", "TestTimeDoesNotGoBack", "TestWheelAgainstModel"),
				tests("./loop", "TestDeadlineIsNeverEarly", "TestDeadlineBeyondTheEndOfTime"),
			}},
		{21, "socket files", "A stale Unix socket is replaced; a socket in use and a file of another kind are kept, with a clear error.", time.Minute,
			trials{socketFiles, tests(".", "TestStaleSocketFileIsReplaced", "TestLiveSocketIsLeftAlone", "TestOtherFilesAreLeftAlone")}},
	}
}

// atScale are the rows about many clients and long runs.
func atScale() []row {
	return []row{
		{22, "churn", "Memory, descriptors and goroutines do not grow with the number of past connections and requests.", 10 * time.Minute,
			trials{churn}},
		{23, "streams", "5,000 streamed responses arrive on time; all of 1,000 closing clients are noticed.", time.Minute,
			trials{manyStreams, closingClients, closingNetHTTPClients}},
		{24, "slow responses", "1,000 clients of a handler that takes 200 ms get responses without errors, whether it defers or blocks; quick responses do not wait for slow ones.", 2 * time.Minute,
			trials{slowAnswers, quickDuringSlow}},
		{25, "silent clients", "10,000 silent clients affect no other client; stalled clients are closed at the deadline.", 2 * time.Minute,
			trials{silentCrowd, closedOnTime}},
		{26, "unread log", "A log that nobody reads costs log lines, which are counted, and nothing else: no request, and no delay at the end.", 2 * time.Minute,
			trials{unreadLog, unreadEnd, tests("./asynclog", "TestCallerDoesNotWaitForABlockedOutput", "TestFullQueueDropsCountsAndReports"), tests(".", "TestLogThatNobodyReadsDoesNotBlockLoops")}},
	}
}

// surroundings are the rows about relays, the kernel and the network.
func surroundings() []row {
	return []row{
		{27, "relays", "The two directions of a relay are independent, even when one of them is full.", 2 * time.Minute,
			trials{
				tests("./examples/proxy", "TestServerThatSendsBeforeItReads", "TestEarlyAnswerReachesAClientThatIsStillSending", "TestBackpressureIsPassedOn", "TestHalfCloseIsPassedOn"),
				tests("./loop", "TestFullOutputDoesNotStopTheInputOfAFullDuplexConnection"),
			}},
		{28, "short poller", "A poller short of watches or memory pauses accepting, and drops no connection.", time.Minute,
			trials{failing("epoll_ctl", "ENOSPC", "ENOMEM"), tests("./loop", "TestPollerShortOfWatches")}},
		{29, "vanished clients", "A stream to a client that has vanished without a FIN ends soon after the write deadline.", time.Minute,
			trials{vanishedClient}},
	}
}
