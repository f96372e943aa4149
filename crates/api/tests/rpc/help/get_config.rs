use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn it_names_every_data_centre_and_bounds_that_are_not_zero() {
    let answer = Town::new(1).client().call(functions::help::GetConfig {});
    let enums::Config::Config(config) = answer.unwrap();
    let options = config.dc_options.iter().map(|enums::DcOption::DcOption(option)| {
        assert_eq!((option.ip_address.as_str(), option.port), ("127.0.0.1", 4430));
        (option.id, option.r#static)
    });
    let expected = (1..=5).flat_map(|id| [(id, false), (id, true)]);
    assert!(options.eq(expected));
    assert_eq!(config.this_dc, 2);
    assert!(config.expires >= config.date + 3600);
    assert!(config.edit_time_limit > 0 && config.message_length_max > 0 && config.chat_size_max > 0);
}
