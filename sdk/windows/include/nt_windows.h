// What mingw-w64's DDK headers lack, for a Windows build. The headers of this folder include it; a
// driver never does, and the WDK has it all.
#pragma once

#ifndef MemoryBarrier
#define MemoryBarrier() __sync_synchronize()
#endif

#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite 0x80000000
#define MdlMappingNoExecute 0x40000000
#endif

#ifndef NT_ASSERT
#define NT_ASSERT(Expression) ((void)0)
#endif
