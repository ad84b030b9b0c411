#include "viz/plan/figure_plan.h"

#include <stdio.h>
#include <string.h>

#include "viz/view.h"

const struct figure_box figure_boxes[FIGURE_BOXES] = {
    {STATE_CLOSED, 33, 0, 4, "w-state-CLOSED"},
    {STATE_LISTEN, 33, 6, 3, "w-state-LISTEN"},
    {STATE_SYN_RCVD, 0, 9, 6, "w-state-SYN_RCVD"},
    {STATE_SYN_SENT, 67, 9, 6, "w-state-SYN_SENT"},
    {STATE_ESTABLISHED, 33, 15, 3, "w-state-ESTABLISHED"},
    {STATE_FIN_WAIT_1, 0, 18, 5, "w-state-FIN_WAIT_1"},
    {STATE_CLOSE_WAIT, 67, 18, 5, "w-state-CLOSE_WAIT"},
    {STATE_FIN_WAIT_2, 0, 25, 3, "w-state-FIN_WAIT_2"},
    {STATE_CLOSING, 33, 25, 3, "w-state-CLOSING"},
    {STATE_LAST_ACK, 67, 25, 3, "w-state-LAST_ACK"},
    {STATE_TIME_WAIT, 33, 30, 3, "w-state-TIME_WAIT"},
    {STATE_CLOSED, 67, 30, 3, "w-state-CLOSED-end"},
};

const struct figure_path figure_paths[FIGURE_DRAWN] = {
    {{{36, 4}, {36, 5}}, 2, 20, 4, "1 passive OPEN"},
    {{{42, 5}, {42, 4}}, 2, 44, 4, "2 CLOSE"},
    {{{46, 1}, {76, 1}, {76, 8}}, 3, 48, 1, " 3 active OPEN/snd SYN "},
    {{{70, 8}, {70, 2}, {46, 2}}, 3, 48, 2, " 4 CLOSE "},
    {{{36, 9}, {36, 10}, {13, 10}}, 3, 14, 10, " 5 rcv SYN/snd SYN,ACK"},
    {{{42, 9}, {42, 10}, {66, 10}}, 3, 44, 10, " 6 SEND/snd SYN "},
    {{{3, 8}, {3, 7}, {32, 7}}, 3, 5, 7, " 7 rcv RST (note 1) "},
    {{{66, 12}, {13, 12}}, 2, 15, 12, " 8 rcv SYN/snd SYN,ACK "},
    {{{13, 13}, {36, 13}, {36, 14}}, 3, 15, 13, " 9 rcv ACK of SYN "},
    {{{66, 13}, {42, 13}, {42, 14}}, 3, 43, 13, " 10 rcv SYN,ACK/snd ACK"},
    {{{3, 15}, {3, 17}}, 2, 5, 16, "11 CLOSE/snd FIN"},
    {{{36, 18}, {36, 19}, {13, 19}}, 3, 15, 19, " 12 CLOSE/snd FIN "},
    {{{42, 18}, {42, 19}, {66, 19}}, 3, 44, 19, " 13 rcv FIN/snd ACK "},
    {{{3, 23}, {3, 24}}, 2, 5, 23, "14 rcv ACK of FIN"},
    {{{13, 21}, {39, 21}, {39, 24}}, 3, 15, 21, " 15 rcv FIN/snd ACK "},
    {{{73, 23}, {73, 24}}, 2, 55, 23, "16 CLOSE/snd FIN"},
    {{{3, 28}, {3, 31}, {32, 31}}, 3, 5, 31, " 17 rcv FIN/snd ACK "},
    {{{39, 28}, {39, 29}}, 2, 20, 28, "18 rcv ACK of FIN"},
    {{{46, 31}, {66, 31}}, 2, 48, 31, " 19 Timeout=2MSL "},
    {{{73, 28}, {73, 29}}, 2, 54, 28, "20 rcv ACK of FIN"},
};

const char *figure_box_name(size_t i, unsigned blanks, char text[FIGURE_TEXT_BYTES])
{
    if (!(blanks & VIEW_BLANK_NAMES)) return tcp_state_name(figure_boxes[i].state);
    snprintf(text, FIGURE_TEXT_BYTES, "%c ________", (char)('a' + (int)i));
    return text;
}

const char *figure_path_label(size_t i, unsigned blanks, char text[FIGURE_TEXT_BYTES])
{
    const char *label = figure_paths[i].label;
    if (!(blanks & VIEW_BLANK_LABELS)) return label;
    size_t number = strspn(label, " 0123456789"), length = strlen(label);
    snprintf(text, FIGURE_TEXT_BYTES, "%s", label);
    for (size_t k = number; k < length && k + 1 < FIGURE_TEXT_BYTES; k++)
        if (k + 1 < length || label[k] != ' ') text[k] = '_';
    return text;
}
