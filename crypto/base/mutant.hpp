// Where the mutation tests plant their bugs: QUORATE_MUTANT(name) is true while the bug `name` is
// selected. Only tests/mutation, which compiles these files a second time, defines QUORATE_MUTANTS
// (the header that says what is selected); in every product build a hook is the constant false and
// leaves nothing behind. tests/mutation/catalogue.inc tells what each bug is.
#pragma once

#ifdef QUORATE_MUTANTS
#include QUORATE_MUTANTS
#else
#define QUORATE_MUTANT(name) false
#endif
