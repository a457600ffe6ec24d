/* Runs a fuzz target on inputs that once broke it (files, or folders of them), without libFuzzer:
 * what ./dev test does with fuzz/regressions. */
#include <usernt.h>

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *Count, char ***Arguments) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);

static int run_file(const char *Path)
{
    FILE *File = fopen(Path, "rb");
    size_t Size = 0, Room = 1 << 20;
    uint8_t *Data = malloc(Room);

    if (!File || !Data) {
        fprintf(stderr, "replay: cannot read %s\n", Path);
        exit(1);
    }
    Size = fread(Data, 1, Room, File);
    fclose(File);
    printf("%s\n", Path);
    fflush(stdout); /* the last line tells which input breaks */
    LLVMFuzzerTestOneInput(Data, Size);
    free(Data);
    return 1;
}

static int is_input(const struct dirent *Entry)
{
    return Entry->d_name[0] != '.';
}

static int run_path(const char *Path)
{
    struct dirent **Entries;
    int Found = scandir(Path, &Entries, is_input, alphasort);

    if (Found < 0)
        return run_file(Path);
    for (int i = 0; i < Found; i++) {
        char Name[4096];

        snprintf(Name, sizeof(Name), "%s/%s", Path, Entries[i]->d_name);
        run_file(Name);
        free(Entries[i]);
    }
    free(Entries);
    return Found;
}

int main(int Count, char **Arguments)
{
    int Runs = 0;

    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&Count, &Arguments);
    for (int i = 1; i < Count; i++)
        Runs += run_path(Arguments[i]);
    if (LLVMFuzzerInitialize) /* it has booted */
        UserNtShutdown();
    printf("%d inputs\n", Runs);
    return Runs > 0 ? 0 : 1;
}
