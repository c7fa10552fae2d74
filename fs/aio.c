/* SPDX-License-Identifier: MIT */
/*
 * Contexts of Linux's native asynchronous I/O. An operation is done when it is submitted, as Linux does for files that are in memory; here is where its
 * completion waits to be fetched. A context belongs to an address space and goes with it, or with the last thread that is using it. Its name is the address
 * of a page that is mapped for that: libraries look there for Linux's ring of events, find zeros, and ask the kernel.
 *
 * Locking: ctx_lock for the lists of contexts; ctx->lock for events and their number.
 * Source: io_setup(2), io_getevents(2).
 */
#include <fs/aio.h>
#include <fs/internal.h>
#include <uapi/mman.h>

struct aio_ctx {
	refcount_t refs;
	struct aio_ctx *next; /* ctx_lock: vm->aio */
	u64 id;
	struct spinlock lock;
	struct waitq wait;
	unsigned int room;		   /* events */
	unsigned int first, done, pending; /* lock: done from first on; to come, or being fetched */
	bool dead;			   /* lock */
	struct aio_event *events;	   /* lock; a ring of room */
};

u32 aio_max = 65536; /* as Linux's */
static u64 total;    /* ctx_lock */
static struct spinlock ctx_lock = SPINLOCK_INIT(RANK_PIPE);

u64 aio_count(void)
{
	return READ_ONCE(total);
}

void aio_put(struct aio_ctx *ctx)
{
	if (!refcount_dec_and_test(&ctx->refs))
		return;
	spin_lock(&ctx_lock);
	total -= ctx->room;
	spin_unlock(&ctx_lock);
	kfree(ctx->events);
	kfree(ctx);
}

static void kill_ctx(struct aio_ctx *ctx)
{
	spin_lock(&ctx->lock);
	ctx->dead = true;
	spin_unlock(&ctx->lock);
	waitq_wake_all(&ctx->wait);
	aio_put(ctx);
}

/* The address space goes. */
static void vm_gone(struct vm *vm)
{
	struct aio_ctx *ctx;

	while ((ctx = vm->aio)) {
		vm->aio = ctx->next;
		kill_ctx(ctx);
	}
}

/* Room for @n events is taken from what all may have. */
static bool take_room(unsigned int n)
{
	bool ok;

	spin_lock(&ctx_lock);
	ok = total + n <= aio_max;
	if (ok)
		total += n;
	spin_unlock(&ctx_lock);
	return ok;
}

static struct aio_ctx *ctx_alloc(unsigned int n)
{
	struct aio_ctx *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return NULL;
	ctx->events = kmalloc(n * sizeof(*ctx->events), GFP_KERNEL);
	if (!ctx->events) {
		kfree(ctx);
		return NULL;
	}
	refcount_set(&ctx->refs, 1);
	spin_init(&ctx->lock, RANK_PIPE);
	waitq_init(&ctx->wait);
	ctx->room = n;
	return ctx;
}

int aio_create(unsigned int n, u64 *id)
{
	struct vm *vm = current->vm;
	struct aio_ctx *ctx;
	long at;

	if (!take_room(n))
		return -EAGAIN;
	ctx = ctx_alloc(n);
	if (!ctx) {
		spin_lock(&ctx_lock);
		total -= n;
		spin_unlock(&ctx_lock);
		return -ENOMEM;
	}
	at = vm_map(vm, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL,
		    NULL, 0, VM_MAYREAD | VM_MAYWRITE, VM_DONTFORK);
	if (at < 0) {
		aio_put(ctx);
		return (int)at;
	}
	*id = ctx->id = (u64)at;
	vm_aio_gone = vm_gone;
	spin_lock(&ctx_lock);
	ctx->next = vm->aio;
	vm->aio = ctx;
	spin_unlock(&ctx_lock);
	return 0;
}

/* Where the context is hung in. ctx_lock held. */
static struct aio_ctx **find_slot(u64 id)
{
	struct aio_ctx **p = (struct aio_ctx **)&current->vm->aio;

	while (*p && (*p)->id != id)
		p = &(*p)->next;
	return p;
}

struct aio_ctx *aio_find(u64 id)
{
	struct aio_ctx *ctx;

	spin_lock(&ctx_lock);
	ctx = *find_slot(id);
	if (ctx)
		refcount_inc(&ctx->refs);
	spin_unlock(&ctx_lock);
	return ctx;
}

int aio_destroy(u64 id)
{
	struct aio_ctx **slot, *ctx;

	spin_lock(&ctx_lock);
	slot = find_slot(id);
	ctx = *slot;
	if (ctx)
		*slot = ctx->next;
	spin_unlock(&ctx_lock);
	if (!ctx)
		return -EINVAL;
	kill_ctx(ctx);
	vm_unmap(current->vm, id, PAGE_SIZE);
	return 0;
}

/* ---- events ---- */

bool aio_reserve(struct aio_ctx *ctx)
{
	bool ok;

	spin_lock(&ctx->lock);
	ok = ctx->done + ctx->pending < ctx->room;
	ctx->pending += ok;
	spin_unlock(&ctx->lock);
	return ok;
}

void aio_unreserve(struct aio_ctx *ctx)
{
	spin_lock(&ctx->lock);
	ctx->pending--;
	spin_unlock(&ctx->lock);
}

void aio_complete(struct aio_ctx *ctx, const struct aio_event *e)
{
	spin_lock(&ctx->lock);
	ctx->pending--;
	ctx->events[(ctx->first + ctx->done) % ctx->room] = *e;
	ctx->done++;
	spin_unlock(&ctx->lock);
	waitq_wake_all(&ctx->wait);
}

bool aio_get(struct aio_ctx *ctx, struct aio_event *e)
{
	bool any;

	spin_lock(&ctx->lock);
	any = ctx->done;
	if (any) {
		*e = ctx->events[ctx->first];
		ctx->first = (ctx->first + 1) % ctx->room;
		ctx->done--;
		ctx->pending++;
	}
	spin_unlock(&ctx->lock);
	return any;
}

void aio_put_back(struct aio_ctx *ctx, const struct aio_event *e)
{
	spin_lock(&ctx->lock);
	ctx->first = (ctx->first + ctx->room - 1) % ctx->room;
	ctx->events[ctx->first] = *e;
	ctx->done++;
	ctx->pending--;
	spin_unlock(&ctx->lock);
	waitq_wake_all(&ctx->wait);
}

int aio_wait(struct aio_ctx *ctx, u64 deadline_ns)
{
	int r = wait_event_interruptible_until(
		&ctx->wait, READ_ONCE(ctx->done) || READ_ONCE(ctx->dead), deadline_ns);

	return READ_ONCE(ctx->dead) ? -EINVAL : r;
}
