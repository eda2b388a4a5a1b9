#pragma once

/// The one door to Node-API: version and error mode are chosen here and nowhere else.
#define NAPI_VERSION 8
#define NAPI_CPP_EXCEPTIONS
#include <napi.h>
