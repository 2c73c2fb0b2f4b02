#!/bin/sh
{sbatch}
#
# Firstlight: job {key}, attempt {number}.
#
# Submitted by the conductor; several of equal resources as one array, whose script runs this one. By hand, in this folder:
#   sbatch {stem}.sh                            again only after {stem}.pid has been removed: what has begun is not begun twice
#   scancel --batch --signal=USR1 JOBID         it saves, stops, and the next attempt goes on from there
# It leaves behind, beside itself:
#   {stem}.pid   who runs it: job, seconds since 1970, how often it has been requeued, host. A second submission of the same
#                attempt does nothing, nor does one that comes after the conductor has given up waiting ("withdrawn")
#   {stem}.out   {stem}.err   what the command printed
#   {stem}.exit  exit status (75: saved, try again; 74: cannot write here), seconds since 1970, job, requeues, and "warned"
#                when the scheduler said that its time is over soon
#   {stem}.db    what was said while journals went straight into the database, where the site does so
cd {folder} || exit 74
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_}${SLURM_ARRAY_TASK_ID:-${SLURM_JOB_ID:-hand-$$}}
requeued=${SLURM_RESTART_COUNT:-0}

# Whoever links the mark first runs; it is there whole or not at all. The same job comes again when it has been requeued.
mine={stem}.pid.$job
echo "$job $(date +%s) $requeued $(uname -n)" > "$mine" && [ -s "$mine" ] || exit 74
if ! ln "$mine" {stem}.pid 2> /dev/null; then
  read -r other rest < {stem}.pid
  if [ "$other" != "$job" ]; then
    rm -f "$mine"
    echo "{stem} has been started before: $other $rest" >&2
    exit 0
  fi
  mv "$mine" {stem}.pid || exit 74
fi
rm -f "$mine" {stem}.exit

finish() {
  cd {folder} && echo "$1 $(date +%s) $job $requeued $warned" > {stem}.exit.new && [ -s {stem}.exit.new ] &&
    mv {stem}.exit.new {stem}.exit || exit 74
  exit "$1"
}
child= asked= warned= over=
save() {
  asked=yes
  [ -z "$child" ] || kill -USR1 "$child" 2> /dev/null
}
trap save USR1
trap 'warned=warned; save' USR2
trap 'over=yes' TERM # Slurm tells the ranks itself

# Begun again by the scheduler after its engine had begun: this attempt's number is used, the next one goes on from its journals.
[ "$requeued" = 0 ] || ! ls {stem}/journal-* > /dev/null 2>&1 || finish 75

{environment}
{broadcast}
[ -z "$asked" ] || finish 75
{ingest}
{command} < /dev/null &
child=$!
wait $child
status=$?
# A trapped signal ends the wait early: go on until the command itself has ended.
while kill -0 $child 2> /dev/null; do
  wait $child
  status=$?
done
# Of ranks that had to be killed srun says 0.
[ -z "$over" ] || [ $status -ne 0 ] || status=143
{ingested}
{clean}
finish $status
