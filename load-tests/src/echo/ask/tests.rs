use super::*;

#[test]
fn a_mix_follows_its_weights_and_is_the_same_again() {
    let list = Ask::of(Form::List { tools: 3 });
    let mix = Mix::of(7, (3, Ask::PLAIN), vec![(1, list)]);
    let lists = |mix: &Mix| (0..10_000).filter(|number| mix.ask(*number) == &list).count();
    assert!((2_300..2_700).contains(&lists(&mix)), "{}", lists(&mix));
    assert!((0..1_000).all(|number| mix.ask(number) == mix.clone().ask(number)));
    let other = Mix::of(8, (3, Ask::PLAIN), vec![(1, list)]);
    assert!((0..1_000).any(|number| mix.ask(number) != other.ask(number)));
}
