#pragma once

/// Writes out what was printed.
void tpb_flush(void);

/// Ends the process with a reason.
_Noreturn void tpb_fail(const char *_Nonnull reason);
