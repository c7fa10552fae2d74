# SPDX-License-Identifier: MIT
"""Records as a trace that Perfetto and chrome://tracing show: `caelum run --trace`.

A track per thread with its system calls as slices, faults and signals as instants on it; a track per CPU with the
threads that ran on it.
"""
import json

CPUS = 0                # the process under which the CPUs are shown; no program has this number
ERRNO_MAX = 4095
WORDS = (1 << 64) - 1


class Writer:
    """Collects the events of one trace."""

    def __init__(self, records, syscall_names):
        self.names = syscall_names
        self.out = []
        self.origin = records[0].time if records else 0
        self.last = self.origin
        self.open_calls = {}            # thread -> the sys_enter it is in
        self.on_cpu = {}                # CPU -> (start, thread, name, priority)
        self.thread_name, self.process_of, self.process_name = {}, {}, {}
        for r in records:
            self.add(r)
        self.finish()

    def us(self, time):
        return (time - self.origin) / 1000

    def emit(self, **event):
        self.out.append(event)

    def slice(self, name, category, process, thread, start, end, args):
        self.emit(ph="X", name=name, cat=category, pid=process, tid=thread, ts=self.us(start),
                  dur=(end - start) / 1000, args=args)

    def instant(self, r, name, category, args):
        self.emit(ph="i", s="t", name=name, cat=category, pid=r.tgid, tid=r.pid, ts=self.us(r.time), args=args)

    def add(self, r):
        self.last = r.time
        if r.pid:
            self.thread_name[r.pid] = r.comm
            self.process_of[r.pid] = r.tgid
            if r.pid == r.tgid:
                self.process_name[r.tgid] = r.comm
        handler = getattr(self, "on_" + r.name, None)
        if handler:
            handler(r, r.values())
        else:
            self.instant(r, f"{r.event.system}:{r.name}", r.event.system, r.values())

    # ---- system calls ----

    def on_sys_enter(self, r, v):
        self.open_calls[r.pid] = (r, v)

    def on_sys_exit(self, r, v):
        entered = self.open_calls.pop(r.pid, None)
        if not entered:         # a thread's first: of the call that made it
            return
        start, call = entered
        args = {"args": [f"{a:#x}" for a in call["args"]], "result": v["ret"]}
        if -ERRNO_MAX <= v["ret"] < 0:
            args["errno"] = -v["ret"]
        self.slice(self.call_name(call["id"]), "syscall", r.tgid, r.pid, start.time, r.time, args)

    def call_name(self, number):
        return self.names.get(number, f"syscall {number}")

    def on_sched_process_exit(self, r, v):
        self.close_call(r.pid, r.time)
        self.instant(r, "exit", "sched", {"group_dead": bool(v["group_dead"])})

    def close_call(self, pid, end):
        start, call = self.open_calls.pop(pid, (None, None))
        if start:
            self.slice(self.call_name(call["id"]), "syscall", start.tgid, pid, start.time, end,
                       {"args": [f"{a:#x}" for a in call["args"]], "unfinished": True})

    # ---- the scheduler ----

    def on_sched_switch(self, r, v):
        self.leave_cpu(r.cpu, r.time, v["prev_state"])
        if v["next_pid"]:
            self.on_cpu[r.cpu] = (r.time, v["next_pid"], v["next_comm"], v["next_prio"])

    def leave_cpu(self, cpu, time, state):
        ran = self.on_cpu.pop(cpu, None)
        if ran:
            start, pid, comm, prio = ran
            self.slice(f"{comm} ({pid})", "sched", CPUS, cpu, start, time,
                       {"tid": pid, "prio": prio, "then": "ready" if state == 0 else "asleep"})

    def on_sched_wakeup(self, r, v):
        self.instant(r, f"wakes {v['comm']} ({v['pid']})", "sched", {"cpu": v["target_cpu"]})

    on_sched_wakeup_new = on_sched_wakeup

    def on_sched_process_fork(self, r, v):
        self.instant(r, f"makes {v['child_pid']}", "sched", v)

    def on_sched_process_exec(self, r, v):
        self.instant(r, f"exec {v['filename']}", "sched", v)

    # ---- signals and faults ----

    def on_signal_generate(self, r, v):
        self.instant(r, f"sends signal {v['sig']} to {v['pid']}", "signal", v)

    def on_signal_deliver(self, r, v):
        self.instant(r, f"signal {v['sig']}", "signal", v)

    def on_page_fault_user(self, r, v):
        self.instant(r, "page fault", "fault", {k: f"{x:#x}" for k, x in v.items()})

    # ---- the end ----

    def finish(self):
        for pid in list(self.open_calls):
            self.close_call(pid, self.last)
        for cpu in list(self.on_cpu):
            self.leave_cpu(cpu, self.last, 0)
        self.emit(ph="M", name="process_name", pid=CPUS, args={"name": "CPUs"})
        for cpu in {e["tid"] for e in self.out if e.get("pid") == CPUS and "tid" in e}:
            self.emit(ph="M", name="thread_name", pid=CPUS, tid=cpu, args={"name": f"CPU {cpu}"})
        for process, name in self.process_name.items():
            self.emit(ph="M", name="process_name", pid=process, args={"name": name})
        for thread, name in self.thread_name.items():
            self.emit(ph="M", name="thread_name", pid=self.process_of[thread], tid=thread, args={"name": name})


def write(out, records, lost, syscall_names, about):
    """Write the trace to the text file @out. @about: facts for its metadata."""
    events = Writer(records, syscall_names).out
    out.write('{"displayTimeUnit":"ns","otherData":' + json.dumps(dict(about, lost_records=lost)))
    out.write(',"traceEvents":[\n')
    for i, event in enumerate(events):
        out.write(("," if i else "") + json.dumps(event, separators=(",", ":")) + "\n")
    out.write("]}\n")
