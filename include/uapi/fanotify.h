/* SPDX-License-Identifier: MIT */
/* fanotify(7). The events below FAN_OPEN_EXEC, and FAN_ONDIR, are inotify's bits. */
#ifndef UAPI_FANOTIFY_H
#define UAPI_FANOTIFY_H

#include <types.h>

#define FAN_ACCESS	   0x00000001u
#define FAN_MODIFY	   0x00000002u
#define FAN_ATTRIB	   0x00000004u
#define FAN_CLOSE_WRITE	   0x00000008u
#define FAN_CLOSE_NOWRITE  0x00000010u
#define FAN_OPEN	   0x00000020u
#define FAN_MOVED_FROM	   0x00000040u
#define FAN_MOVED_TO	   0x00000080u
#define FAN_CREATE	   0x00000100u
#define FAN_DELETE	   0x00000200u
#define FAN_DELETE_SELF	   0x00000400u
#define FAN_MOVE_SELF	   0x00000800u
#define FAN_OPEN_EXEC	   0x00001000u
#define FAN_Q_OVERFLOW	   0x00004000u
#define FAN_FS_ERROR	   0x00008000u
#define FAN_OPEN_PERM	   0x00010000u
#define FAN_ACCESS_PERM	   0x00020000u
#define FAN_OPEN_EXEC_PERM 0x00040000u
#define FAN_EVENT_ON_CHILD 0x08000000u
#define FAN_RENAME	   0x10000000u
#define FAN_ONDIR	   0x40000000u

#define FAN_PERM_EVENTS	   (FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_OPEN_EXEC_PERM)
#define FAN_PATH_EVENTS                                                                            \
	(FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE | FAN_OPEN | FAN_OPEN_EXEC)
#define FAN_DIRENT_EVENTS  (FAN_MOVED_FROM | FAN_MOVED_TO | FAN_CREATE | FAN_DELETE | FAN_RENAME)
#define FAN_EVENT_FLAGS	   (FAN_EVENT_ON_CHILD | FAN_ONDIR)
#define FAN_ALL_EVENTS                                                                             \
	(FAN_PATH_EVENTS | FAN_PERM_EVENTS | FAN_DIRENT_EVENTS | FAN_ATTRIB | FAN_DELETE_SELF |    \
	 FAN_MOVE_SELF | FAN_FS_ERROR)

#define FAN_CLOEXEC	      0x0001u
#define FAN_NONBLOCK	      0x0002u
#define FAN_CLASS_CONTENT     0x0004u
#define FAN_CLASS_PRE_CONTENT 0x0008u
#define FAN_CLASS_BITS	      (FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT)
#define FAN_UNLIMITED_QUEUE   0x0010u
#define FAN_UNLIMITED_MARKS   0x0020u
#define FAN_REPORT_PIDFD      0x0080u
#define FAN_REPORT_TID	      0x0100u
#define FAN_REPORT_FID	      0x0200u
#define FAN_REPORT_DIR_FID    0x0400u
#define FAN_REPORT_NAME	      0x0800u
#define FAN_REPORT_TARGET_FID 0x1000u
#define FAN_FID_BITS                                                                               \
	(FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_REPORT_TARGET_FID)
/* What only root may ask for, and what anyone may. */
#define FAN_ADMIN_INIT_FLAGS                                                                       \
	(FAN_CLASS_BITS | FAN_REPORT_TID | FAN_REPORT_PIDFD | FAN_UNLIMITED_QUEUE |                \
	 FAN_UNLIMITED_MARKS)
#define FAN_INIT_FLAGS (FAN_ADMIN_INIT_FLAGS | FAN_FID_BITS | FAN_CLOEXEC | FAN_NONBLOCK)

#define FAN_MARK_ADD		     0x0001u
#define FAN_MARK_REMOVE		     0x0002u
#define FAN_MARK_DONT_FOLLOW	     0x0004u
#define FAN_MARK_ONLYDIR	     0x0008u
#define FAN_MARK_MOUNT		     0x0010u
#define FAN_MARK_IGNORED_MASK	     0x0020u
#define FAN_MARK_IGNORED_SURV_MODIFY 0x0040u
#define FAN_MARK_FLUSH		     0x0080u
#define FAN_MARK_FILESYSTEM	     0x0100u
#define FAN_MARK_EVICTABLE	     0x0200u
#define FAN_MARK_IGNORE		     0x0400u
#define FAN_MARK_CMD_BITS	     (FAN_MARK_ADD | FAN_MARK_REMOVE | FAN_MARK_FLUSH)
#define FAN_MARK_TYPE_BITS	     (FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM)
#define FAN_MARK_IGNORE_BITS	     (FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORE)
#define FAN_MARK_ALL_BITS            0x07ffu

struct fanotify_event_metadata {
	u32 event_len;
	u8 vers, reserved;
	u16 metadata_len;
	u64 mask;
	s32 fd, pid;
};
#define FANOTIFY_METADATA_VERSION 3
#define FAN_NOFD		  (-1)
#define FAN_NOPIDFD		  (-1)
#define FAN_EPIDFD		  (-2)

#define FAN_EVENT_INFO_TYPE_FID		  1
#define FAN_EVENT_INFO_TYPE_DFID_NAME	  2
#define FAN_EVENT_INFO_TYPE_DFID	  3
#define FAN_EVENT_INFO_TYPE_PIDFD	  4
#define FAN_EVENT_INFO_TYPE_OLD_DFID_NAME 10
#define FAN_EVENT_INFO_TYPE_NEW_DFID_NAME 12

struct fanotify_event_info_header {
	u8 info_type, pad;
	u16 len;
};

struct fanotify_response {
	s32 fd;
	u32 response;
};
#define FAN_ALLOW 0x01u
#define FAN_DENY  0x02u
#define FAN_INFO  0x20u

/* Which of an audit daemon's rules was why: checked, and told nobody. */
struct fanotify_response_info_audit_rule {
	struct fanotify_event_info_header hdr;
	u32 rule_number, subj_trust, obj_trust;
};
#define FAN_RESPONSE_INFO_AUDIT_RULE 1

#endif
