# Stored runs in, the very bytes of a view out; and every event line of them held to the schema.
add_test(NAME golden/stored-runs COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/golden/run.py $<TARGET_FILE:tcpwhy>)
file(GLOB golden_lines CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/golden/expected/*lines.out)
add_test(NAME golden/stored-lines-follow-the-schema COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/support/check_schema.py
  ${PROJECT_SOURCE_DIR}/docs/event-lines.schema.json ${golden_lines})
set_tests_properties(golden/stored-runs golden/stored-lines-follow-the-schema PROPERTIES LABELS golden TIMEOUT 60)
set_tests_properties(golden/stored-runs PROPERTIES LABELS "golden;sanitized")
# What other tools open: the stored outputs, and stories built by hand, as those tools read them.
set(exports ${CMAKE_CURRENT_SOURCE_DIR}/exports)
set(golden ${CMAKE_CURRENT_SOURCE_DIR}/golden)
file(GLOB golden_mermaid CONFIGURE_DEPENDS ${golden}/expected/*-mermaid.out)
file(GLOB golden_perfetto CONFIGURE_DEPENDS ${golden}/view/*.pftrace)
file(GLOB golden_otlp CONFIGURE_DEPENDS ${golden}/expected/*-otlp.out)
add_test(NAME exports/mermaid-reads-the-diagrams COMMAND python3 ${exports}/check_mermaid.py ${golden_mermaid} ${golden}/view/stories.mmd)
add_test(NAME exports/perfetto-traces-are-the-stored-ones COMMAND python3 ${exports}/check_perfetto.py $<TARGET_FILE:tcpwhy>)
add_test(NAME exports/perfetto-traces-hold-together COMMAND python3 ${exports}/check_perfetto.py --files ${golden_perfetto})
add_test(NAME exports/perfetto-can-refuse COMMAND python3 ${exports}/check_perfetto.py --self-test $<TARGET_FILE:tcpwhy>)
add_test(NAME exports/otlp-follows-the-definitions COMMAND python3 ${exports}/check_otlp.py ${golden_otlp} ${golden}/view/stories.otlp.jsonl)
add_test(NAME exports/otlp-can-refuse COMMAND python3 ${exports}/check_otlp.py --self-test ${golden}/expected/echo-otlp.out)
set_tests_properties(exports/mermaid-reads-the-diagrams exports/perfetto-traces-are-the-stored-ones
  exports/perfetto-traces-hold-together exports/perfetto-can-refuse exports/otlp-follows-the-definitions exports/otlp-can-refuse
  PROPERTIES LABELS golden TIMEOUT 180)
# In a browser: the longest of these begin early.
set_tests_properties(exports/mermaid-reads-the-diagrams browser/page-can-fail PROPERTIES COST 400)
