#!/bin/sh
# Firstlight: job {key}, attempt {number}.
#
# Started by the conductor in a session of its own, so that it outlives whoever started it. By hand: sh this-file.
# It leaves behind, beside itself:
#   {stem}.pid   process, its start time, host, boot: made once; a second start of the same attempt does nothing, nor
#                does one that comes after the conductor has given up waiting ("withdrawn")
#   {stem}.out   {stem}.err   what the command printed
#   {stem}.exit  the command's exit status, its end in seconds since 1970
#   {stem}.db    what was said while journals went straight into the database, where the site does so
cd {folder} || exit 1
self="$$ $(cut -d ' ' -f 22 /proc/$$/stat) $(uname -n) $(cat /proc/sys/kernel/random/boot_id)"
if ! (set -C; echo "$self" > {stem}.pid) 2> /dev/null; then
  echo "{stem} has been started before" >&2
  exit 0
fi
exec < /dev/null >> {stem}.out 2>> {stem}.err

{environment}
{ingest}
{command} &
child=$!
trap 'kill -TERM $child 2> /dev/null' TERM INT
trap 'kill -USR1 $child 2> /dev/null' USR1
wait $child
status=$?
# A trapped signal ends the wait early: go on until the command itself has ended.
while kill -0 $child 2> /dev/null; do
  wait $child
  status=$?
done
{ingested}
echo "$status $(date +%s)" > {stem}.exit.new && mv {stem}.exit.new {stem}.exit
exit $status
