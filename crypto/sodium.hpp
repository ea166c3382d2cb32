// libsodium's one-time set-up, for the units of this folder that call it. Internal to crypto/.
#pragma once

namespace quorate::crypto {

// Initialises libsodium on the first call; cheap and safe to repeat on any thread. Ends the process
// when the operating system offers no random source.
void ensure_sodium();

}  // namespace quorate::crypto
