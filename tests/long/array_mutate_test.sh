#!/bin/sh
# tests/long/array_mutate_test.sh - one fault at a time in the array's RTL; the lockstep of the
# smallest configuration must see each of them.
set -u
cd "$(dirname "$0")/../.."
config=8x10-1-base3-4-4
work=build/lockstep/mutate
mkdir -p "$work"
log=$work/log
killed=0 total=0

tests/lockstep/build.sh "$config" >"$log" 2>&1 || { echo "not ok  build: $(head -1 "$log")"; exit 1; }

# FILE | what is wrong with it | sed command
while IFS='|' read -r file what command; do
    rm -rf "$work/rtl"
    cp -r rtl "$work/rtl"
    sed "$command" "rtl/$file" >"$work/rtl/$file"
    total=$((total + 1))
    if cmp -s "rtl/$file" "$work/rtl/$file"; then
        echo "not ok  $what: the sed command changes nothing in $file"
    elif ! RTL=$work/rtl OUT=$work/out OPT_FAST=-O0 tests/lockstep/build.sh "$config" >"$log" 2>&1; then
        echo "not ok  $what: does not build: $(grep -m1 -i error "$log")"
    elif timeout 60 "$work/out/$config/array_lockstep" mutant --cycles 20000 >"$log" 2>&1; then
        echo "not ok  $what: not seen"
    else
        killed=$((killed + 1))
        echo "ok      $what: $(head -1 "$log" | cut -c1-110)"
    fi
done <<'END'
lpu_dot.v|minus selects plus|s/ ^ {8{neg_i\[4\*i+j\]}}//
lpu_dot.v|zero weight does not gate|s/ & {8{nz_i\[4\*i+j\]}}//
lpu_dot.v|the + 1 of -x is lost|s/= neg_i\[4\*i+j\];/= 1'b0;/
lpu_sum4.v|one carry-in is lost|s/sum = low + high + {Zeros, carry_i\[2\]}/sum = low + high/
lpu_sum4.v|carry travels on twice|s/carry_i\[Terms-1\]/carry_i[0]/
lpu_sum4.v|unsigned extension|s/{{2{term_i\[(i+1)\*TermBits-1\]}}/{2'b00/
lpu_dot.v|a stage loads with the first one|s/(en_i\[l\])/(en_i[0])/
lpu_accum.v|Horner without the shift|s/{old\[AccBits-2:0\], 1'b0}/old/
lpu_accum.v|Horner on every add|s/op_i == 2'd2/op_i != 2'd0/
lpu_accum.v|clear does not clear|s/op_i == 2'd0 ? {AccBits{1'b0}} : old/old/
lpu_accum.v|the last carry is lost|s/ + {{(AccBits-1){1'b0}}, carry_i}//
lpu_tile.v|columns overwrite their neighbours|s/(shadow_nz_q  & ~column_mask_i) | //
lpu_tile.v|lines of an older tile stay|s/shadow_nz_q  & copy_mask_i/shadow_nz_q/
lpu_tile.v|the copy misses the sign|s/neg_o <= shadow_neg_q & copy_mask_i/neg_o <= {Cols{1'b0}}/
lpu_array_ctrl.v|banks do not alternate|s/if (finish_o) bank_q <= !bank_q/if (1'b0) bank_q <= !bank_q/
lpu_array_ctrl.v|a busy bank takes vectors|s/x_ready_o = has_active_q && !is_busy/x_ready_o = has_active_q/
lpu_array_ctrl.v|one pass too few|s/pass_q + OnePass == active_passes_q/pass_q + OnePass + OnePass == active_passes_q/
lpu_array_ctrl.v|one line too few|s/fill_next >= {1'b0, fill_lines_o}/fill_next + 1'b1 >= {1'b0, fill_lines_o}/
lpu_array_ctrl.v|the shadow is overwritten before its swap|s/ && (!shadow_full_q || swap_o)//
lpu_array_ctrl.v|swap waits for an empty active tile|s/(!has_active_q || is_last_pass)/!has_active_q/
lpu_array_ctrl.v|a bank is full one stage early|s/full_o = pipe_q\[Depth\]/full_o = pipe_q[Depth-1]/
lpu_drain.v|the stall of y is dropped|s/is_full && (!y_valid_o || y_ready_i)/is_full/
lpu_drain.v|a bank is free one beat early|s/row_last && read_pass_q + OnePass == passes/row_last/
lpu_drain.v|rows are drained out of order|s/(g\*OutLanes+j)\*AccBits/(g*OutLanes+OutLanes-1-j)*AccBits/
lpu_drain.v|both banks are drained from one|s/if (beat_last) read_bank_q <= !read_bank_q/if (1'b0) read_bank_q <= 1'b0/
lpu_fill.v|illegal codes are not told|s/take_i \&\& |illegal/1'b0/
lpu_fill.v|adds of the last beat are not counted|s/if (swap_i) adds_o <= adds_d/if (swap_i) adds_o <= shadow_adds_q/
lpu_queue.v|a full queue takes|s/in_ready_o  = !count_q\[1\]/in_ready_o = 1'b1/
lpu_queue.v|words leave out of order|s/first_q ? slot1_q : slot0_q/first_q ? slot0_q : slot1_q/
lpu_trit_decoder.v|243 is legal|s/8'd242/8'd243/
lpu_trit_decoder.v|a digit is compared off by one|s/value >= Two/value > Two/
END
echo "# $killed of $total planted faults seen"
[ "$killed" -eq "$total" ]
