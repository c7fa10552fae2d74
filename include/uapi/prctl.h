/* SPDX-License-Identifier: MIT */
/* prctl(2), reboot(2), sysinfo(2), syslog(2), membarrier(2). */
#ifndef UAPI_PRCTL_H
#define UAPI_PRCTL_H

#include <types.h>

#define PR_SET_PDEATHSIG	1
#define PR_GET_PDEATHSIG	2
#define PR_GET_DUMPABLE		3
#define PR_SET_DUMPABLE		4
#define PR_GET_KEEPCAPS		7
#define PR_SET_KEEPCAPS		8
#define PR_SET_NAME		15
#define PR_GET_NAME		16
#define PR_CAPBSET_READ		23
#define PR_CAPBSET_DROP		24
#define PR_GET_SECUREBITS	27
#define PR_SET_SECUREBITS	28
#define PR_SET_TIMERSLACK	29
#define PR_GET_TIMERSLACK	30
#define PR_SET_CHILD_SUBREAPER	36
#define PR_GET_CHILD_SUBREAPER	37
#define PR_SET_NO_NEW_PRIVS	38
#define PR_GET_NO_NEW_PRIVS	39
#define PR_GET_TID_ADDRESS	40
#define PR_CAP_AMBIENT		47
#define PR_CAP_AMBIENT_IS_SET	1
#define PR_CAP_AMBIENT_RAISE	2
#define PR_CAP_AMBIENT_LOWER	3
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#define PR_SVE_SET_VL		50
#define PR_SVE_GET_VL		51
#define PR_RISCV_V_SET_CONTROL	69
#define PR_RISCV_V_GET_CONTROL	70
#define PR_GET_TIMING		13
#define PR_GET_SECCOMP		21
#define PR_SET_SECCOMP		22
#define PR_SET_TIMING		14
#define PR_MCE_KILL		33
#define PR_MCE_KILL_GET		34
#define PR_MCE_KILL_CLEAR	0
#define PR_MCE_KILL_SET		1
#define PR_MCE_KILL_DEFAULT	2
#define PR_SET_THP_DISABLE	41
#define PR_GET_THP_DISABLE	42
#define PR_SET_IO_FLUSHER	57
#define PR_GET_IO_FLUSHER	58
#define PR_GET_AUXV		0x41555856
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF	0
#define PR_SYS_DISPATCH_ON	1
#define DISPATCH_ALLOW		0 /* what the selector may say */
#define DISPATCH_BLOCK		1
#define SYS_USER_DISPATCH	2 /* si_code of SIGSYS */
#define PR_GET_TSC		25
#define PR_SET_TSC		26
#define PR_TSC_ENABLE		1
#define PR_TSC_SIGSEGV		2
#define PR_GET_SPECULATION_CTRL 52
#define PR_SET_SPECULATION_CTRL 53
#define PR_SPEC_STORE_BYPASS	0
#define PR_SPEC_INDIRECT_BRANCH 1
#define PR_SPEC_L1D_FLUSH	2
#define PR_SPEC_ENABLE		(1 << 1)
#define PR_SPEC_DISABLE		(1 << 2)
#define PR_SPEC_FORCE_DISABLE	(1 << 3)
#define PR_SPEC_DISABLE_NOEXEC	(1 << 4)
#define PR_SET_MDWE		65
#define PR_MDWE_REFUSE_EXEC_GAIN 1u
#define PR_MDWE_NO_INHERIT	2u
#define PR_GET_MDWE		66

#define SECURE_NOROOT		    0x01u
#define SECURE_NO_SETUID_FIXUP	    0x04u
#define SECURE_KEEP_CAPS	    0x10u
#define SECURE_KEEP_CAPS_LOCKED	    0x20u
#define SECURE_NO_CAP_AMBIENT_RAISE 0x40u
#define SECURE_ALL_BITS		    0x55u
#define SECURE_ALL_LOCKS	    0xaau

#define LINUX_REBOOT_MAGIC1	   0xfee1deadu
#define LINUX_REBOOT_MAGIC2	   672274793u
#define LINUX_REBOOT_MAGIC2A	   85072278u
#define LINUX_REBOOT_MAGIC2B	   369367448u
#define LINUX_REBOOT_MAGIC2C	   537993216u
#define LINUX_REBOOT_CMD_RESTART   0x01234567u
#define LINUX_REBOOT_CMD_HALT	   0xcdef0123u
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedcu
#define LINUX_REBOOT_CMD_CAD_ON	   0x89abcdefu
#define LINUX_REBOOT_CMD_CAD_OFF   0u

struct sysinfo_abi {
	s64 uptime;
	u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 mem_unit;
};

#endif
