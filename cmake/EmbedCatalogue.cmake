# cmake -DPO=po/zh_CN.po -DMSGFMT=msgfmt -DMSGUNIQ=msguniq -DLONG=l -DNAME=zh -DOUTPUT=file.c -P EmbedCatalogue.cmake: a catalogue of translations as C
# arrays (see src/base/lang.h). What xgettext writes as %<PRIu64> becomes what that macro is here: libintl does so when it loads a file.
file(READ ${PO} text)
foreach(letter d u x)
  string(REPLACE "<PRI${letter}64>" "${LONG}${letter}" text "${text}")
  foreach(size 8 16 32)
    string(REPLACE "<PRI${letter}${size}>" "${letter}" text "${text}")
  endforeach()
endforeach()
file(WRITE ${OUTPUT}.po "${text}")
# Two sentences may have become one by that.
execute_process(COMMAND ${MSGUNIQ} --use-first -o ${OUTPUT}.po ${OUTPUT}.po RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "msguniq refuses ${PO}: its words are above")
endif()
execute_process(COMMAND ${MSGFMT} -c --no-hash --endianness=${ENDIAN} -o ${OUTPUT}.mo ${OUTPUT}.po RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "msgfmt refuses ${PO}: its words are above")
endif()
file(READ ${OUTPUT}.mo hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "/* Made from the folder po. */\n#include <stddef.h>\n\n"
  "extern const unsigned char lang_catalogue_${NAME}[];\nextern const size_t lang_catalogue_${NAME}_bytes;\n"
  "const unsigned char lang_catalogue_${NAME}[] = {${bytes}};\n"
  "const size_t lang_catalogue_${NAME}_bytes = sizeof(lang_catalogue_${NAME});\n")
