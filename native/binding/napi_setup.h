#pragma once

/// The one door to Node-API: version and error mode are chosen here and nowhere else. Every C++ exception
/// becomes a JavaScript error; one that a terminating worker can no longer take is dropped, not fatal.
#define NAPI_VERSION 8
#define NODE_ADDON_API_CPP_EXCEPTIONS_ALL
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>
