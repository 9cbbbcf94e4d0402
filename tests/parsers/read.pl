# Reads one mail a line, each in base64; answers each with a line: what Perl's Email::MIME makes of it.
use strict;
use warnings;
use Email::MIME;
use Encode;
use JSON::PP;
use MIME::Base64;

$| = 1;
my $json = JSON::PP->new->ascii->canonical;

sub addresses {
    my ($mail, $name) = @_;
    my $field = $mail->header_as_obj($name) or return [];
    # Addresses may be UTF-8 (RFC 6532), which this module leaves as bytes.
    return [map { [$_->phrase // "", decode("UTF-8", $_->address)] } $field->addresses];
}

while (my $line = <STDIN>) {
    my $mail = Email::MIME->new(decode_base64($line));
    my @parts = $mail->subparts;
    my ($text) = grep { $_->content_type =~ m{^text/plain} } @parts;
    my ($html) = grep { $_->content_type =~ m{^text/html} } @parts;
    my @headers = $mail->header_names;
    print $json->encode({
        subject => $mail->header_str("Subject"),
        from => addresses($mail, "From"),
        to => addresses($mail, "To"),
        reply_to => addresses($mail, "Reply-To"),
        message_id => $mail->header_str("Message-ID"),
        references => [split " ", $mail->header_str("References") // ""],
        headers => [map { lc } @headers],
        text => $text->body_str,
        html => $html->body_str,
        attachments => @parts - 2,
    }), "\n";
}
