use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn it_names_one_address_and_bounds_that_are_not_zero() {
    let answer = Town::new(1).client().call(functions::help::GetConfig {});
    let enums::Config::Config(config) = answer.unwrap();
    let [enums::DcOption::DcOption(option)] = config.dc_options.as_slice() else {
        panic!("one address");
    };
    assert_eq!(
        (option.id, option.ip_address.as_str(), option.port),
        (config.this_dc, "127.0.0.1", 4430)
    );
    assert!(config.expires >= config.date + 3600);
    assert!(config.edit_time_limit > 0 && config.message_length_max > 0 && config.chat_size_max > 0);
}
