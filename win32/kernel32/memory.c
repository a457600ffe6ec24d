/* Virtual memory (in the process's slot); local and global memory (of the process heap). */
#include "win32/kernel32/base.h"

#include <stdlib.h>

LPVOID WINAPI VirtualAllocEx(HANDLE Process, LPVOID Base, SIZE_T Bytes, DWORD Type, DWORD Protect)
{
    return BaseResult(NtAllocateVirtualMemory(Process, &Base, 0, &Bytes, Type, Protect)) ? Base
                                                                                         : NULL;
}

LPVOID WINAPI VirtualAlloc(LPVOID Base, SIZE_T Bytes, DWORD Type, DWORD Protect)
{
    return VirtualAllocEx(NtCurrentProcess(), Base, Bytes, Type, Protect);
}

BOOL WINAPI VirtualFreeEx(HANDLE Process, LPVOID Base, SIZE_T Bytes, DWORD Type)
{
    if ((Type & MEM_RELEASE) && Bytes)
        return BaseResult(STATUS_INVALID_PARAMETER);
    return BaseResult(NtFreeVirtualMemory(Process, &Base, &Bytes, Type));
}

BOOL WINAPI VirtualFree(LPVOID Base, SIZE_T Bytes, DWORD Type)
{
    return VirtualFreeEx(NtCurrentProcess(), Base, Bytes, Type);
}

BOOL WINAPI VirtualProtect(LPVOID Base, SIZE_T Bytes, DWORD Protect, PDWORD Old)
{
    return BaseResult(
        NtProtectVirtualMemory(NtCurrentProcess(), &Base, &Bytes, Protect, (PULONG)Old));
}

SIZE_T WINAPI VirtualQuery(LPCVOID Base, PMEMORY_BASIC_INFORMATION Information, SIZE_T Bytes)
{
    SIZE_T Done = 0;

    return BaseResult(
               NtQueryVirtualMemory(NtCurrentProcess(), (PVOID)Base, 0, Information, Bytes, &Done))
               ? Done
               : 0;
}

BOOL WINAPI ReadProcessMemory(HANDLE Process, LPCVOID Base, LPVOID Buffer, SIZE_T Bytes,
                              SIZE_T *Done)
{
    return BaseResult(NtReadVirtualMemory(Process, (PVOID)Base, Buffer, Bytes, Done));
}

BOOL WINAPI WriteProcessMemory(HANDLE Process, LPVOID Base, LPCVOID Buffer, SIZE_T Bytes,
                               SIZE_T *Done)
{
    return BaseResult(NtWriteVirtualMemory(Process, Base, (PVOID)Buffer, Bytes, Done));
}

HLOCAL WINAPI LocalAlloc(UINT Flags, SIZE_T Bytes)
{
    return HeapAlloc(NULL, Flags & LMEM_ZEROINIT ? HEAP_ZERO_MEMORY : 0, Bytes);
}

HLOCAL WINAPI LocalFree(HLOCAL Block)
{
    free(Block);
    return NULL;
}

HGLOBAL WINAPI GlobalAlloc(UINT Flags, SIZE_T Bytes)
{
    return LocalAlloc(Flags & GMEM_ZEROINIT ? LMEM_ZEROINIT : 0, Bytes);
}

HGLOBAL WINAPI GlobalFree(HGLOBAL Block)
{
    return LocalFree(Block);
}
