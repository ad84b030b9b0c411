# What every target of the project is compiled with.
add_library(tcpwhy_settings INTERFACE)
target_include_directories(tcpwhy_settings INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
target_compile_definitions(tcpwhy_settings INTERFACE _GNU_SOURCE TCPWHY_VERSION="${PROJECT_VERSION}")
target_compile_options(tcpwhy_settings INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes>
  $<$<AND:$<COMPILE_LANGUAGE:C>,$<BOOL:${TCPWHY_WERROR}>>:-Werror>)
# glibc then marks the calls whose results must be looked at, write(2) first of all (-Wunused-result); the sanitizers have checks of their own.
if(NOT TCPWHY_SANITIZE)
  target_compile_options(tcpwhy_settings INTERFACE
    $<$<AND:$<COMPILE_LANGUAGE:C>,$<BOOL:${TCPWHY_WERROR}>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
endif()
if(TCPWHY_SANITIZE)
  # gcc's guess at how long a text may get is another one there, and worse.
  target_compile_options(tcpwhy_settings INTERFACE $<$<COMPILE_LANGUAGE:C>:-Wno-format-truncation>)
  target_compile_options(tcpwhy_settings INTERFACE -fsanitize=${TCPWHY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(tcpwhy_settings INTERFACE -fsanitize=${TCPWHY_SANITIZE})
  # More than a hundred programs, which bfd takes twice as long to link.
  include(CheckLinkerFlag)
  check_linker_flag(C -fuse-ld=gold TCPWHY_HAS_GOLD)
  if(TCPWHY_HAS_GOLD)
    target_link_options(tcpwhy_settings INTERFACE -fuse-ld=gold)
  endif()
endif()

# tcpwhy_floor(NAME SOURCES… LINK libraries…): one static library a floor.
function(tcpwhy_floor name)
  cmake_parse_arguments(FLOOR "" "" "LINK" ${ARGN})
  add_library(tcpwhy_${name} STATIC ${FLOOR_UNPARSED_ARGUMENTS})
  target_link_libraries(tcpwhy_${name} PUBLIC tcpwhy_settings ${FLOOR_LINK})
endfunction()
