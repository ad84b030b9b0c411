# What `cmake --install` lays out: the program, its manual pages, completion for bash, the unit of a service, and what Wireshark takes.
include(GNUInstallDirs)
install(TARGETS tcpwhy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES share/bash-completion/tcpwhy DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY share/wireshark DESTINATION ${CMAKE_INSTALL_DATADIR}/tcpwhy)
install(FILES README.md README.zh-CN.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The unit starts the program that stands beside it, wherever that is.
install(CODE "
  file(READ \"${PROJECT_SOURCE_DIR}/share/systemd/tcpwhy-watch.service\" unit)
  string(REPLACE \"/usr/local/bin/\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" unit \"\${unit}\")
  file(WRITE \"${PROJECT_BINARY_DIR}/tcpwhy-watch.service\" \"\${unit}\")
")
install(FILES ${PROJECT_BINARY_DIR}/tcpwhy-watch.service DESTINATION lib/systemd/system)

# The pages are made of each verb's --help, by the program that was built: part of `all` where nothing but what is installed is built.
find_program(TCPWHY_HELP2MAN help2man)
if(TCPWHY_HELP2MAN AND NOT CMAKE_CROSSCOMPILING)
  file(GLOB manual_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/share/man/*)
  set(manual ${PROJECT_BINARY_DIR}/man/tcpwhy.1) # made last
  add_custom_command(OUTPUT ${manual}
    COMMAND ${PROJECT_SOURCE_DIR}/share/man/make $<TARGET_FILE:tcpwhy> ${PROJECT_BINARY_DIR}/man
    DEPENDS tcpwhy ${manual_sources} COMMENT "Manual pages" VERBATIM)
  if(BUILD_TESTING)
    add_custom_target(manual DEPENDS ${manual})
  else()
    add_custom_target(manual ALL DEPENDS ${manual})
  endif()
  install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL)
else()
  message(STATUS "No manual pages: help2man is not there, or the program can't run here")
endif()
