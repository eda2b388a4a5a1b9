{
  # For tools that only know node-gyp. The build of choice is CMake (cmake-js); both read native/sources.json.
  'variables': {
    'list': 'const s = require(\'./native/sources.json\'); const p = (k) => k.split(\'.\').reduce((o, w) => o[w], s); console.log(p(process.argv[1]).join(\'\\n\'))',
  },
  'target_defaults': {
    'include_dirs': ['.'],
    'cflags': ['<!@(node -e "<(list)" flags.all)', '-Wno-uninitialized', '-Wno-maybe-uninitialized'],
    'cflags_cc': ['-std=c++20', '-O3'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'OTHER_CFLAGS': ['<!@(node -e "<(list)" flags.all)'],
    },
    'conditions': [
      ['OS=="linux"', {'cflags': ['-include', 'native/engine/glibc_floor.h']}],
    ],
  },
  'targets': [
    {
      'target_name': 'hone_baseline',
      'type': 'static_library',
      'sources': [
        '<!@(node -e "<(list)" core)',
        '<!@(node -e "<(list)" kernels.baseline)',
        '<!@(node -e "<(list)" engine)',
      ],
    },
    {
      'target_name': 'hone',
      'sources': ['<!@(node -e "<(list)" binding)'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'dependencies': ['hone_baseline'],
      'conditions': [
        ['target_arch=="x64"', {'dependencies': ['hone_avx2', 'hone_avx512vnni']}],
        ['target_arch=="arm64"', {'dependencies': ['hone_neon', 'hone_neon_dotprod', 'hone_neon_i8mm']}],
      ],
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'hone_avx2',
          'type': 'static_library',
          'cflags': ['<!@(node -e "<(list)" flags.avx2)'],
          'sources': ['<!@(node -e "<(list)" kernels.avx2)'],
        },
        {
          'target_name': 'hone_avx512vnni',
          'type': 'static_library',
          'cflags': ['<!@(node -e "<(list)" flags.avx512vnni)'],
          'sources': ['<!@(node -e "<(list)" kernels.avx512vnni)'],
        },
      ],
    }],
    ['target_arch=="arm64"', {
      'targets': [
        {
          'target_name': 'hone_neon',
          'type': 'static_library',
          'sources': ['<!@(node -e "<(list)" kernels.neon)'],
        },
        {
          'target_name': 'hone_neon_dotprod',
          'type': 'static_library',
          'cflags': ['<!@(node -e "<(list)" flags.neon_dotprod)'],
          'sources': ['<!@(node -e "<(list)" kernels.neon_dotprod)'],
        },
        {
          'target_name': 'hone_neon_i8mm',
          'type': 'static_library',
          'cflags': ['<!@(node -e "<(list)" flags.neon_i8mm)'],
          'sources': ['<!@(node -e "<(list)" kernels.neon_i8mm)'],
        },
      ],
    }],
  ],
}
