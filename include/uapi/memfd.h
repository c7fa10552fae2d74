/* SPDX-License-Identifier: MIT */
/* memfd_create(2), file seals. */
#ifndef UAPI_MEMFD_H
#define UAPI_MEMFD_H

#define MFD_CLOEXEC	  0x01u
#define MFD_ALLOW_SEALING 0x02u
#define MFD_HUGETLB	  0x04u
#define MFD_HUGE_SIZE	  (63u << 26) /* with MFD_HUGETLB: log2 of the page size */
#define MFD_NOEXEC_SEAL	  0x08u
#define MFD_EXEC	  0x10u

#define F_SEAL_SEAL	    0x01u
#define F_SEAL_SHRINK	    0x02u
#define F_SEAL_GROW	    0x04u
#define F_SEAL_WRITE	    0x08u
#define F_SEAL_FUTURE_WRITE 0x10u
#define F_SEAL_EXEC	    0x20u
#define F_SEAL_ALL	    0x3fu

#endif
