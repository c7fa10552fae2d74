# SPDX-License-Identifier: MIT
"""gdb helpers for the Caelum kernel. Loaded by `caelum debug`; or: gdb -x scripts/gdb/caelum.py

  caelum-lists ADDRESS TYPE FIELD   walk a struct list and print each entry's address
  caelum-symbol ADDRESS             function and line of a kernel address
  caelum-boot                       what the machine told the kernel (boot_info)
"""
import gdb

PANIC_FUNCTION = "panic"


class Lists(gdb.Command):
    """caelum-lists HEAD TYPE FIELD: the entries of a list, e.g. caelum-lists &tasks "struct task" list"""

    def __init__(self):
        super().__init__("caelum-lists", gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        args = gdb.string_to_argv(argument)
        if len(args) != 3:
            raise gdb.GdbError(self.__doc__)
        head = gdb.parse_and_eval(args[0])
        entry_type = gdb.lookup_type(args[1])
        offset = next(f.bitpos // 8 for f in entry_type.fields() if f.name == args[2])
        node = head["next"]
        while node != head:
            entry = gdb.Value(int(node) - offset).cast(entry_type.pointer())
            print(f"({args[1]} *) {int(entry):#x}")
            node = node["next"]


class Symbol(gdb.Command):
    """caelum-symbol ADDRESS: function and line of a kernel address"""

    def __init__(self):
        super().__init__("caelum-symbol", gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        gdb.execute(f"info symbol {argument}")
        gdb.execute(f"info line *({argument})")


class Boot(gdb.Command):
    """caelum-boot: RAM ranges, CPUs and command line that the machine reported"""

    def __init__(self):
        super().__init__("caelum-boot", gdb.COMMAND_DATA)

    def invoke(self, _argument, _from_tty):
        info = gdb.parse_and_eval("boot_info")
        for i in range(int(info["nram"])):
            base, size = int(info["ram"][i]["base"]), int(info["ram"][i]["size"])
            print(f"RAM {base:#x}-{base + size:#x} ({size >> 20} MiB)")
        print(f"{int(info['ncpus'])} CPUs; command line: {info['cmdline'].string()}")


Lists()
Symbol()
Boot()
# Pending: the symbol may be missing in a stripped image.
gdb.execute("set breakpoint pending on")
gdb.execute(f"hbreak {PANIC_FUNCTION}")
