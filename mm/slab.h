/* SPDX-License-Identifier: MIT */
/*
 * Small kernel objects: slab caches with per-CPU magazines.
 *
 * kmem_cache_create() names a kind of object; kmem_cache_alloc()/free() take and return one. kmalloc() serves sizes
 * up to KMALLOC_MAX from power-of-two (and half-step) caches and larger ones from whole pages.
 * Alloc and free take no lock while the CPU's magazine lasts. Any context (GFP_ATOMIC in interrupts).
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <mm/page.h>

struct kmem_cache;

/** kmem_cache_create() - objects of @size bytes aligned to @align (0: 8). Never fails at boot (panics). */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align);
/* NULL when out of memory. GFP_ZERO clears. */
void *kmem_cache_alloc(struct kmem_cache *cache, unsigned int gfp);
void kmem_cache_free(struct kmem_cache *cache, void *obj);

void *kmalloc(size_t size, unsigned int gfp);
void *kzalloc(size_t size, unsigned int gfp);
void *kcalloc(size_t n, size_t size, unsigned int gfp); /* overflow: NULL */
void *krealloc(void *p, size_t size, unsigned int gfp);
void kfree(const void *p); /* NULL is fine */
char *kstrdup(const char *s, unsigned int gfp);

/** kmem_cache_stats() - call @fn for every cache (/proc/slabinfo). */
void kmem_cache_stats(void (*fn)(void *ctx, const char *name, size_t size, u64 inuse, u64 total),
		      void *ctx);

#endif
