#include "FuzzDriver.h"

#include <stddef.h>
#include <stdint.h>

// libFuzzer's own main, as a function: <clang>/lib/fuzzer/FuzzerMain.cpp.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *start, size_t count));
// The target's, in Swift.
int LLVMFuzzerTestOneInput(const uint8_t *start, size_t count);

#define ENTRY(target)                                                                                                  \
    int target##_main(int argc, char **argv) {                                                                         \
        return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);                                              \
    }

ENTRY(FuzzESTBody)
ENTRY(FuzzCSRPolicy)
ENTRY(FuzzDeviceID)
ENTRY(FuzzOCSP)
ENTRY(FuzzPublicFront)
