//! Writes a PDF object by object, for documents whose every byte is to be known.

/// A PDF of these objects, numbered from 1, the first of which is its catalogue: a dictionary each, and a stream
/// behind it where there is one. `comment` comes behind the first line.
pub fn bare_pdf(comment: &[u8], objects: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = [b"%PDF-1.4\n%", comment, b"\n"].concat();
    let mut places = Vec::new();
    for (number, (dictionary, stream)) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend_from_slice(format!("{} 0 obj\n{dictionary}\n", number + 1).as_bytes());
        if !stream.is_empty() {
            file.extend_from_slice(&[b"stream\n", *stream, b"\nendstream\n"].concat());
        }
        file.extend_from_slice(b"endobj\n");
    }
    let (table, count) = (file.len(), places.len() + 1);
    file.extend_from_slice(format!("xref\n0 {count}\n0000000000 65535 f \n").as_bytes());
    for place in places {
        file.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    let trailer = format!("trailer\n<</Size {count}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    file.extend_from_slice(trailer.as_bytes());
    file
}
