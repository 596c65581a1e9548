use super::*;

const DUMP: &str = "\
# callgrind format
version: 1
creator: callgrind-3.19.0
positions: line
events: Ir
summary: 1000

ob=/usr/bin/x
fl=a.rs
fn=serve
10 300
12 20
cob=/usr/bin/x
cfi=alloc.c
cfn=mi_malloc_aligned
calls=7 1
12 210
cfn=mi_free
calls=7 1
13 70
cob=/lib/libc.so.6
cfi=memcpy.S
cfn=__memcpy_avx_unaligned_erms
calls=3 1
14 30
cfn=calloc@@GLIBC_2.2.5
calls=2 1
15 40

fl=alloc.c
fn=mi_malloc_aligned
1 150
fi=other.c
2 10
cfn=_mi_malloc_generic
calls=1 9
1 50
cfn=mi_page_fresh_alloc
calls=1 9
1 20

fn=(below main)
0 5
cfn=serve
calls=1 10
0 670

totals: 1000
";

#[test]
fn allocations_are_the_calls_from_outside_and_copies_are_those_of_the_c_library() {
    let profile = Profile::parse(DUMP).unwrap();
    assert_eq!((profile.instructions, profile.allocations, profile.copies), (1000, 9, 3));
}

#[test]
fn a_function_has_its_own_instructions_and_not_those_of_what_it_calls() {
    let functions = Profile::parse(DUMP).unwrap().functions;
    assert_eq!(functions.get("serve"), Some(&320));
    assert_eq!(functions.get("mi_malloc_aligned"), Some(&160), "also what stands in a file that was inlined");
    assert_eq!(functions.get("(below main)"), Some(&5));
}

#[test]
fn versions_and_depths_of_recursion_are_no_part_of_a_name() {
    for (name, expected) in [
        ("malloc@@GLIBC_2.2.5", "malloc"),
        ("calloc'2", "calloc"),
        ("free@GLIBC_2.2.5'3", "free"),
        ("<T as a::B<'a>>::c", "<T as a::B<'a>>::c"),
    ] {
        assert_eq!(plain(name), expected);
    }
}

#[test]
fn a_dump_that_was_cut_off_is_refused() {
    let (cut, _) = DUMP.split_once("totals").unwrap();
    assert_eq!(Profile::parse(cut), Err(NoSumError));
}
