#!/bin/sh
# Answers one request, which nc hands over as standard input and output.
read -r method path _
while read -r header; do
    [ "$header" = "$(printf '\r')" ] && break
    [ -z "$header" ] && break
done
[ -n "$CRASH_WHEN_ASKED" ] && kill -USR1 1 && exit
status="200 OK"
body="$VERSION"
case "$path" in
/health*)
    body=ok
    [ -n "$UNHEALTHY" ] && status="500 Internal Server Error" body=unhealthy
    ;;
*)
    case "$path" in /slow*) sleep 3 ;; esac
    [ -n "$SLOW" ] && usleep "${SLOW}000"
    [ -n "$FAILING" ] && status="500 Internal Server Error" body=failing
    ;;
esac
printf 'HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' \
    "$status" "${#body}" "$body"
echo "$method $path ${status%% *} version=$VERSION" >/proc/1/fd/1
