mod get_app_config;
mod get_cdn_config;
mod get_config;
mod get_countries_list;
mod get_nearest_dc;
mod get_terms_of_service_update;
