/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's library under names of its own, so that it can be held against libc's. */
#define memcpy	  plinth_memcpy
#define memmove	  plinth_memmove
#define memset	  plinth_memset
#define memcmp	  plinth_memcmp
#define memchr	  plinth_memchr
#define strlen	  plinth_strlen
#define strnlen	  plinth_strnlen
#define strcmp	  plinth_strcmp
#define strncmp	  plinth_strncmp
#define strchr	  plinth_strchr
#define strstr	  plinth_strstr
#define strlcpy	  plinth_strlcpy
#define strlcat	  plinth_strlcat
#define strtoull  plinth_strtoull
#define snprintf  plinth_snprintf
#define vsnprintf plinth_vsnprintf
