# SPDX-License-Identifier: MIT
obj-y += buffer.o event.o export.o field.o filter.o init.o points.o profile.o ring.o syscalls.o trigger.o
obj-y += fetch.o probe_event.o kprobe_event.o
cold-y := export.o init.o
