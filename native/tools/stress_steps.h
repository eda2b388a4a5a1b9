#pragma once

namespace hone {

/// Ends pools right behind a task, lets two callers share one, and runs a made-up step of several phases:
/// each must see all of the one before, no thread another's working memory, and threads must help one that is
/// slow. Null, or what went wrong.
const char* stress_steps(int rounds);

}  // namespace hone
