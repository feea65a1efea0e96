#!/bin/sh
# The stand-in app. VERSION: what it answers. CRASH: exit code to end with at the start. CRASH_WHEN_ASKED: exit code to
# end with at the first request. SLOW_START: seconds before it listens. UNHEALTHY: /health answers 500. SLOW:
# milliseconds that all but /health take longer. FAILING: all but
# /health answers 500. PORT: where it listens. ABRUPT: told to stop, it drops the requests under way.
exec 2>&1 # an engine reads the two streams apart, and lines of one millisecond may change places
stop() {
    [ -n "$ABRUPT" ] && exit 0
    kill "$server" 2>/dev/null
    while pidof answer.sh >/dev/null; do usleep 50000; done
    echo "stopped version=$VERSION"
    exit 0
}

echo "starting version=$VERSION port=$PORT"
if [ -n "$CRASH" ]; then
    echo "fatal: cannot start version=$VERSION"
    exit "$CRASH"
fi
trap stop TERM INT
trap 'echo "fatal: cannot answer version=$VERSION"; exit "$CRASH_WHEN_ASKED"' USR1
sleep "$SLOW_START" &
wait $!
nc -ll -p "$PORT" -e /app/answer.sh &
server=$!
echo "listening version=$VERSION"
wait "$server"
