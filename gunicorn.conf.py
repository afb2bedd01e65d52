"""Production defaults, read by `gunicorn wsgi:app`; `consent serve` uses the same (consent/web/serve.py has them)."""

# What they rest on. Measured on 27 November 2026 on two cores that others used too (load 5 to 7), each row's runs in
# turns with the others', medians; CPU is the server's for one request, "memory" is what all processes hold, shared
# pages counted once (some 20 MB more than now: threads had a heap each). Rates and slowest answers differed more from
# run to run than from row to row, so none is given.
#
#   recording, 64 connections                   CPU us   memory MB    runs
#   our worker, 1 process                          446         115       3
#   our worker, 2 processes                        410         137       7
#   our worker, 4 processes                        419         181       3
#   gthread, 2 processes of 16 threads             584         102       7
#
#   the script, 64 connections                  CPU us               runs
#   our worker, 2 processes                        123                  4
#   gthread, 2 processes of 16 threads             149                  4
#
#   what Flask answers, 64 connections          CPU us   memory MB    runs     (two processes; a policy as JSON)
#   our worker, 2 threads                          505         111       4
#   our worker, 16 threads                         530         133       4
#   our worker, 64 threads                         607         170       4
#
# Worker class: a recording waits for the disk, and what waits should cost nothing. In our worker it is a greenlet, in
# gthread a thread, which makes a recording 1.4 times as dear and a script 1.2 times. Without company (one connection)
# both cost the same.
# Processes: CPU a recording is the same however many there are, and each holds some 22 MB of its own. Python computes on
# one core a process, so there is one a core; two at least, so that one that dies is not an outage; eight at most, because
# receipts of one site are put in order one after another anyway (more than four were not measured: `--workers`).
# Threads (THREADS in consent/web/worker.py): only Flask's answers use them, and a long one, such as an export to somebody
# who reads slowly or a database that does not answer, holds one for as long as it lasts. More of them make no answer
# cheaper, 64 make it dearer; 16 cost 5 % more than 2 and leave room for a dozen that wait. As many connections to
# PostgreSQL has a process (MOST in consent/storage/postgres_pool.py). They begin when they are first needed.
# Connections: an idle one is a greenlet and no thread, so 2,000 a process are no burden; up to 256 busy ones were measured.
# Kept open for 5 seconds: long enough for a page's script, display and choice, short enough for visitors who are gone.
# That figure and the timeouts of 30 seconds are gunicorn's custom and not measured. A long answer is no reason to be
# stopped: what reports to gunicorn is the loop, which no answer holds up.

from consent.web.serve import DEFAULTS

globals().update(DEFAULTS)
