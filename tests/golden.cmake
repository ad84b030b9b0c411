# Stored runs in, the very bytes of a view out; and every event line of them held to the schema.
add_test(NAME golden/stored-runs COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/golden/run.py $<TARGET_FILE:tcpwhy>)
file(GLOB golden_lines CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/golden/expected/*lines.out)
add_test(NAME golden/stored-lines-follow-the-schema COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/support/check_schema.py
  ${PROJECT_SOURCE_DIR}/docs/event-lines.schema.json ${golden_lines})
set_tests_properties(golden/stored-runs golden/stored-lines-follow-the-schema PROPERTIES LABELS golden TIMEOUT 60)
