# tcpwhy_e2e(NAME FILE CLASS SECONDS): one class of a script of tests/e2e, run against the built program, labelled e2e.
function(tcpwhy_e2e name file class seconds)
  add_test(NAME e2e/${name} COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/e2e/${file} ${class})
  set_tests_properties(e2e/${name} PROPERTIES LABELS e2e TIMEOUT ${seconds}
    ENVIRONMENT "TCPWHY=$<TARGET_FILE:tcpwhy>;PYTHONDONTWRITEBYTECODE=1")
endfunction()

tcpwhy_e2e(usage cli.py Usage 60)
tcpwhy_e2e(streams cli.py Streams 60)
tcpwhy_e2e(files cli.py Files 60)
tcpwhy_e2e(reading cli.py Reading 60)
tcpwhy_e2e(captures cli.py Captures 60)
tcpwhy_e2e(demo-bpf demo.py Demo 120)
tcpwhy_e2e(demo-ptrace demo.py DemoPtrace 120)
tcpwhy_e2e(recorders-agree demo.py Agreement 120)
tcpwhy_e2e(trouble demo.py Trouble 120)
tcpwhy_e2e(kill kill.py Kill 120)
tcpwhy_e2e(interrupt kill.py Interrupt 120)
tcpwhy_e2e(states-stored states.py Stored 60)
tcpwhy_e2e(states-played states.py Played 180)
tcpwhy_e2e(scenarios scenario.py Scenarios 180)
tcpwhy_e2e(catalogue scenario.py Catalogue 240)
set_tests_properties(e2e/scenarios e2e/catalogue PROPERTIES RUN_SERIAL ON) # others' load would shift what is timed
tcpwhy_e2e(readme readme.py Readme 120)
