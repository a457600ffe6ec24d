/* systemmodules: the modules that the kernel has loaded. */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char Usage[] =
    "usage: systemmodules [--device [--aux]] [NAME...]\n"
    "       systemmodules --load-and-fail [--aux] [--driver PATH] [NAME...]\n\n"
    "Lists the modules that the kernel has loaded, or of them those with a NAME (in any letter "
    "case).\n\n"
    "  --device         ask the driver; without it, the system itself\n"
    "  --aux            the driver asks Aux_Klib\n"
    "  --load-and-fail  as in the tutorial: the driver looks while it is loaded, writes to the "
    "debug log, and fails;\n"
    "                   without a NAME it looks for a kernel by its four names, and for ntice.sys\n"
    "  --driver PATH    the driver's file\n\n"
    "Exit codes: 0 found, 1 no module has such a name, 2 usage, 3 there is no list, 20 no device,\n"
    "10 to 14 the service (manager, register, start, stop, delete).\n";

static BOOL AddName(OPTIONS *Options, const char *Name)
{
    size_t Length = strlen(Name) + 1;
    char *Names = Length > 1 ? realloc(Options->Names, Options->NamesSize + Length + 1) : NULL;

    if (!Names)
        return FALSE;
    memcpy(Names + Options->NamesSize, Name, Length);
    Options->NamesSize += (ULONG)Length;
    Names[Options->NamesSize] = 0;
    Options->Names = Names;
    return TRUE;
}

static BOOL Take(int Count, char **Arguments, int *At, OPTIONS *Options)
{
    const char *Argument = Arguments[*At];

    if (!strcmp(Argument, "--device"))
        Options->Device = TRUE;
    else if (!strcmp(Argument, "--aux"))
        Options->Aux = TRUE;
    else if (!strcmp(Argument, "--load-and-fail"))
        Options->Tutorial = TRUE;
    else if (!strcmp(Argument, "--driver") && *At + 1 < Count)
        Options->Driver = Arguments[++*At];
    else
        return Argument[0] != '-' && AddName(Options, Argument);
    return TRUE;
}

static int Print(const SYSTEM_MODULE_LIST *List, const char *Names)
{
    ULONG Found = 0;

    for (ULONG i = 0; i < List->Returned; i++) {
        if (Names && !ModuleIsOneOf(&List->Modules[i], Names))
            continue;
        printf(MODULE_FORMAT, MODULE_ARGUMENTS(&List->Modules[i]));
        Found++;
    }
    if (!Found)
        printf("none of the names is among the %u modules\n", (unsigned)List->Count);
    return Found ? EXIT_FOUND : EXIT_NONE;
}

static int Run(const OPTIONS *Options)
{
    int Code = EXIT_NO_LIST;
    SYSTEM_MODULE_LIST *List = Options->Device ? ListFromDevice(Options->Aux, &Code) : ListDirect();

    if (!List)
        return Code;
    Code = Print(List, Options->Names);
    free(List);
    return Code;
}

static BOOL Read(int Count, char **Arguments, OPTIONS *Options)
{
    for (int i = 1; i < Count; i++)
        if (!Take(Count, Arguments, &i, Options)) {
            fprintf(stderr, "systemmodules: '%s' is not understood\n%s", Arguments[i], Usage);
            return FALSE;
        }
    if (Options->Aux && !Options->Device && !Options->Tutorial) {
        fprintf(
            stderr,
            "systemmodules: --aux is a question for the driver: --device or --load-and-fail\n%s",
            Usage);
        return FALSE;
    }
    return TRUE;
}

int main(int Count, char **Arguments)
{
    OPTIONS Options = {0};
    int Code = EXIT_USAGE;

    ClientName = "systemmodules";
    if (Read(Count, Arguments, &Options))
        Code = Options.Tutorial ? RunTutorial(&Options) : Run(&Options);
    free(Options.Names);
    return Code;
}
